-- Where does the time of an issue go? Median hours of each step, by type, of issues done in the last 26 weeks.
SELECT
    issue_type,
    count(*) AS issues,
    round(median(created_to_started_hours), 1) AS created_to_started,
    round(median(started_to_opened_hours), 1) AS started_to_pull_request,
    round(median(opened_to_first_review_hours), 1) AS opened_to_first_review,
    round(median(first_review_to_approved_hours), 1) AS first_review_to_approval,
    round(median(approved_to_merged_hours), 1) AS approval_to_merge,
    round(median(merged_to_done_hours), 1) AS merge_to_done
FROM issue_waterfall CROSS JOIN pipeline_status
WHERE done_at > published_at - INTERVAL 182 DAY AND number IS NOT NULL
GROUP BY issue_type
ORDER BY issues DESC, issue_type;
