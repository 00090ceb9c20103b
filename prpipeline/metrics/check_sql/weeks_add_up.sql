-- error on metrics.review_time_weekly
-- The weeks of a repository do not add up to its pull requests: the aggregates were computed from other rows.
FROM metrics.differing_totals('metrics.review_time_weekly');
