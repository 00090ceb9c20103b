-- How long do pull requests take, by the points of their issue? People's, merged in the last 26 weeks; each by its primary issue.
SELECT
    points_class,
    count(*) AS merged,
    round(avg(cycle_time_hours), 1) AS mean_hours,
    round(median(cycle_time_hours), 1) AS median_hours,
    round(median(review_time_hours), 1) AS median_hours_to_first_review
FROM review_time_hours AS pull_request
JOIN pull_request_issues AS link ON link.pull_request_id = pull_request.pull_request_id AND link.is_primary
JOIN issues ON issues.issue_id = link.issue_id
CROSS JOIN pipeline_status
WHERE is_counted AND pull_request.merged_at > published_at - INTERVAL 182 DAY
GROUP BY points_class
ORDER BY min(story_points) NULLS LAST;
