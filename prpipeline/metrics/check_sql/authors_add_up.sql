-- error on metrics.author_weekly
-- The authors' weeks of a repository do not add up to its pull requests: they are of another state than the rows.
FROM metrics.differing_totals('metrics.author_weekly');
