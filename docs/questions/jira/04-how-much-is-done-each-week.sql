-- How much is done each week, by type, and how long did it take? Issues done in the last twelve weeks.
SELECT
    date_trunc('week', issue.done_at)::DATE AS week,
    issue.issue_type,
    count(*) AS issues,
    sum(issue.story_points) AS points,
    round(avg(lead_time_hours), 1) AS mean_lead_hours,
    round(avg(cycle_time_hours), 1) AS mean_cycle_hours
FROM issues AS issue JOIN issue_times USING (issue_id) CROSS JOIN pipeline_status
WHERE issue.done_at > published_at - INTERVAL 84 DAY AND NOT issue.is_gone AND issue.is_tracked
GROUP BY week, issue.issue_type
ORDER BY week DESC, issues DESC, issue.issue_type;
