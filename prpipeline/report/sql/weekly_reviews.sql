-- By the week in which it was submitted: reviews by people and by bots of people's pull requests, up to the merge, as in
-- reviewer_weekly.
WITH reviews AS (
    SELECT review_evidence.team, repository_id, date_trunc('week', submitted_at)::DATE AS week, NOT is_qualifying AS is_bot
    FROM review_evidence JOIN review_time_hours USING (repository_id, pull_request_id)
    WHERE is_counted AND (is_qualifying OR disqualified_by = 'bot' AND NOT is_after_merge)
)
SELECT
    team, repository_id, week,
    count(*) FILTER (NOT is_bot) AS reviews,
    count(*) FILTER (is_bot) AS reviews_of_bots
FROM reviews
WHERE week BETWEEN $first_week AND $last_week
GROUP BY GROUPING SETS ((week), (team, week), (repository_id, week))
HAVING grouping(team) = 1 OR team IS NOT NULL
