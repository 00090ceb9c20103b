-- How much is merged without a review, by month, and was it looked at afterwards? Unknown (NULL) before
-- GitHub had reviews.
SELECT
    date_trunc('month', merged_at)::DATE AS month,
    count(*) AS merged,
    count(*) FILTER (merged_without_review) AS without_review,
    round(100.0 * count(*) FILTER (merged_without_review) / nullif(count(merged_without_review), 0), 1) AS percent,
    count(*) FILTER (merged_without_review AND reviewed_after_merge) AS reviewed_afterwards,
    count(*) FILTER (merged_without_review AND (is_hotfix OR is_revert)) AS hotfixes_and_reverts
FROM review_time_hours
WHERE merged_at IS NOT NULL AND is_counted
GROUP BY month ORDER BY month DESC;
