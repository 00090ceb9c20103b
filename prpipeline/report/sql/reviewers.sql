-- The reviewers of the last twelve weeks: a row for each reviewer, in total, in each team and in each repository. A login
-- is the reviewer's latest; reviews of one's own pull requests are left out.
WITH reviews AS (
    SELECT
        evidence.repository_id, pr.team, evidence.reviewer_id, evidence.reviewer_login, evidence.is_bot,
        evidence.pull_request_id, evidence.submitted_at, pr.review_time_hours,
        pr.first_review_id IS NOT DISTINCT FROM evidence.review_id AS is_first
    FROM review_evidence AS evidence JOIN review_time_hours AS pr USING (repository_id, pull_request_id)
    WHERE evidence.submitted_at > $as_of - INTERVAL 84 DAY AND (evidence.is_bot OR NOT evidence.is_self)
)
SELECT
    team,
    repository_id,
    max_by(reviewer_login, submitted_at) AS login,
    is_bot,
    count(*) AS reviews,
    count(DISTINCT pull_request_id) AS pull_requests,
    count(*) FILTER (is_first) AS first_reviews,
    median(review_time_hours) FILTER (is_first) AS median_hours,
    sum(count(*)) OVER (PARTITION BY grouping(team), grouping(repository_id), team, repository_id, is_bot)
        AS reviews_in_all,
    count(*) OVER (PARTITION BY grouping(team), grouping(repository_id), team, repository_id, is_bot)
        AS reviewers_in_all
FROM reviews
GROUP BY GROUPING SETS (
    (reviewer_id, is_bot), (team, reviewer_id, is_bot), (repository_id, reviewer_id, is_bot)
)
HAVING grouping(team) = 1 OR team IS NOT NULL
QUALIFY row_number() OVER (
    PARTITION BY grouping(team), grouping(repository_id), team, repository_id, is_bot
    ORDER BY count(*) DESC, login
) <= $most
ORDER BY reviews DESC, login
