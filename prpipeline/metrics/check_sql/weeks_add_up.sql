-- error on metrics.review_time_weekly
-- The weeks of a repository do not add up to its pull requests: the aggregates are of another state than the rows.
FROM metrics.differing_totals('metrics.review_time_weekly');
