-- How fast are people's requests for a review answered by people, and how many are not? By the week of the request. Medians
-- must not be averaged: shown are the median and the slowest of the reviewers' own.
SELECT
    week,
    sum(requests) AS requests,
    sum(requests_unanswered) AS unanswered,
    round(median(response_hours_median), 1) AS typical_hours_of_a_reviewer,
    round(max(response_hours_median), 1) AS slowest_reviewer_hours
FROM reviewer_weekly
GROUP BY week
HAVING sum(requests) > 0
ORDER BY week DESC LIMIT 12;
