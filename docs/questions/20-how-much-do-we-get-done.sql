-- How much do we get done, week by week? Pull requests of people by the week of the merge, and how many people merged work in it.
SELECT
    date_trunc('week', merged_at)::DATE AS week,
    count(*) AS merged,
    count(DISTINCT author_id) AS authors,
    round(count(*) / nullif(count(DISTINCT author_id), 0), 1) AS merged_per_author,
    round(median(cycle_time_hours), 1) AS median_cycle_hours,
    count(*) FILTER (is_revert OR is_hotfix) AS reverts_and_hotfixes
FROM review_time_hours
WHERE is_counted AND merged_at IS NOT NULL
GROUP BY week ORDER BY week DESC LIMIT 12;
