-- error on metrics.author_weekly
-- The authors' weeks of a repository do not add up to its pull requests: they were computed from other rows.
FROM metrics.differing_totals('metrics.author_weekly');
