-- What did each sprint get done (its velocity)? An issue counts in the sprint that it is in now, or was in last, by when it was done.
WITH sprint_issues AS (
    SELECT *, done_at IS NOT NULL AND NOT coalesce(sprint_state = 'closed' AND done_at > sprint_ended_at, false) AS is_in_time
    FROM issues WHERE sprint_state <> 'future' AND NOT is_gone AND is_tracked
)
SELECT
    project_key, sprint, sprint_state, sprint_started_at::DATE AS started_on,
    count(*) FILTER (is_in_time) AS issues_done,
    coalesce(sum(story_points) FILTER (is_in_time), 0) AS points_done,
    count(*) FILTER (NOT is_in_time) AS issues_left,
    coalesce(sum(story_points) FILTER (NOT is_in_time), 0) AS points_left
FROM sprint_issues
GROUP BY project_key, sprint_id, sprint, sprint_state, started_on
ORDER BY started_on DESC NULLS LAST, project_key, sprint;
