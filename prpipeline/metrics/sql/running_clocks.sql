-- What goes on without any change in raw: clocks that still run, in every repository.
UPDATE metrics.pull_request_times AS pull_request
SET waiting_hours = metrics.hours_between(waiting_since, greatest(clock.as_of, waiting_since))
FROM metrics.repository_clocks AS clock
WHERE clock.repository_id = pull_request.repository_id AND waiting_since IS NOT NULL;

-- Where the last draft period has not ended and draft_hours are known, the pull request is a draft now.
UPDATE metrics.pull_request_times AS pull_request
SET draft_hours = metrics.hours(drafts.seconds), draft_seconds = drafts.seconds
FROM (
    SELECT
        pull_request_id,
        CAST(sum(date_diff('second', started_at, greatest(started_at, coalesce(ended_at, as_of)))) AS BIGINT)
            AS seconds
    FROM metrics.draft_periods
    JOIN metrics.repository_clocks USING (repository_id)
    GROUP BY pull_request_id
    HAVING bool_or(ended_at IS NULL)
) AS drafts
WHERE pull_request.pull_request_id = drafts.pull_request_id
  AND pull_request.is_open
  AND pull_request.draft_hours IS NOT NULL;
