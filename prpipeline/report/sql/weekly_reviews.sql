-- By the week in which it was submitted: reviews of people (not of their own pull requests) and of bots.
WITH reviews AS (
    SELECT team, repository_id, date_trunc('week', submitted_at)::DATE AS week, is_bot
    FROM review_evidence
    WHERE NOT (is_self AND NOT is_bot)
)
SELECT
    team, repository_id, week,
    count(*) FILTER (NOT is_bot) AS reviews,
    count(*) FILTER (is_bot) AS reviews_of_bots
FROM reviews
WHERE week BETWEEN $first_week AND $last_week
GROUP BY GROUPING SETS ((week), (team, week), (repository_id, week))
HAVING grouping(team) = 1 OR team IS NOT NULL
