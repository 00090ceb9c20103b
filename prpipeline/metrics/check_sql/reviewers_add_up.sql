-- error on metrics.reviewer_weekly
-- The reviewers' weeks of a repository do not add up to its qualifying reviews: they were computed from other rows.
SELECT repository_id, coalesce(rows.reviews, 0) AS reviews, coalesce(weeks.reviews, 0) AS in_weeks,
    coalesce(rows.verdicts, 0) AS verdicts, coalesce(weeks.verdicts, 0) AS verdicts_in_weeks
FROM (
    SELECT repository_id, sum(reviews)::BIGINT AS reviews, sum(verdicts)::BIGINT AS verdicts
    FROM metrics.pull_request_times
    WHERE is_counted
    GROUP BY repository_id
) AS rows
FULL JOIN (
    SELECT repository_id, sum(reviews)::BIGINT AS reviews, sum(verdicts)::BIGINT AS verdicts
    FROM metrics.reviewer_weekly
    GROUP BY repository_id
) AS weeks USING (repository_id)
WHERE coalesce(rows.reviews, 0) <> coalesce(weeks.reviews, 0)
   OR coalesce(rows.verdicts, 0) <> coalesce(weeks.verdicts, 0);
