-- In which stage is the time spent? People's pull requests opened in the last twelve weeks, stages that are over.
SELECT
    stage,
    sum(n_in_stage) AS pull_requests,
    round(sum(hours_total) / nullif(sum(n_in_stage - n_running), 0), 1) AS mean_hours,
    round(100.0 * sum(hours_total) / sum(sum(hours_total)) OVER (), 1) AS percent_of_time
FROM stage_weekly CROSS JOIN pipeline_status
WHERE week > published_at - INTERVAL 84 DAY
GROUP BY stage
ORDER BY percent_of_time DESC NULLS LAST;
