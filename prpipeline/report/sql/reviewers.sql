-- The reviewers of the last twelve weeks: a row for each reviewer, in total, in each team and in each repository. A login
-- is the reviewer's latest. Counted are reviews of people's pull requests up to the merge, as in reviewer_weekly; those with
-- most verdicts come first. inline_only is NULL where nobody has read yet whether a comment has a text.
WITH reviews AS (
    SELECT
        evidence.repository_id, pr.team, evidence.reviewer_id, evidence.reviewer_login,
        NOT evidence.is_qualifying AS is_bot, evidence.is_verdict, evidence.is_inline_only,
        evidence.pull_request_id, evidence.submitted_at, date_diff('second', pr.created_at, pr.first_review_at) AS seconds,
        pr.first_review_id IS NOT DISTINCT FROM evidence.review_id AS is_first
    FROM review_evidence AS evidence JOIN review_time_hours AS pr USING (repository_id, pull_request_id)
    WHERE evidence.submitted_at > $as_of - INTERVAL 84 DAY AND pr.is_counted
        AND (evidence.is_qualifying OR evidence.disqualified_by = 'bot' AND NOT evidence.is_after_merge)
)
SELECT
    team,
    repository_id,
    max_by(reviewer_login, submitted_at) AS login,
    is_bot,
    count(*) AS reviews,
    count(DISTINCT pull_request_id) AS pull_requests,
    count(*) FILTER (is_first) AS first_reviews,
    median(seconds) FILTER (is_first) / 3600 AS median_hours,
    count(*) FILTER (is_verdict) AS verdicts,
    CASE WHEN count(is_inline_only) = count(*) THEN count(*) FILTER (is_inline_only) END AS inline_only,
    sum(count(*)) OVER (PARTITION BY grouping(team), grouping(repository_id), team, repository_id, is_bot)
        AS reviews_in_all,
    count(*) OVER (PARTITION BY grouping(team), grouping(repository_id), team, repository_id, is_bot)
        AS reviewers_in_all,
    sum(count(*) FILTER (is_verdict)) OVER (
        PARTITION BY grouping(team), grouping(repository_id), team, repository_id, is_bot
    ) AS verdicts_in_all
FROM reviews
GROUP BY GROUPING SETS (
    (reviewer_id, is_bot), (team, reviewer_id, is_bot), (repository_id, reviewer_id, is_bot)
)
HAVING grouping(team) = 1 OR team IS NOT NULL
QUALIFY row_number() OVER (
    PARTITION BY grouping(team), grouping(repository_id), team, repository_id, is_bot
    ORDER BY count(*) FILTER (is_verdict) DESC, count(*) DESC, login
) <= $most
ORDER BY verdicts DESC, reviews DESC, login
