-- error on metrics.review_time_survival
-- The months of a repository do not add up to its pull requests: the aggregates were computed from other rows.
FROM metrics.differing_totals('metrics.review_time_survival');
