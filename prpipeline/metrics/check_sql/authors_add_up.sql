-- error on metrics.author_weekly
-- The authors' weeks of a repository do not add up to its pull requests: they are of another state than the rows.
FROM metrics.not_adding_up('metrics.author_weekly');
