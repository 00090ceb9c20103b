-- The first and last year in which working hours have to be known for these repositories.
SELECT
    (SELECT min(year(created_at)) FROM raw.pull_requests WHERE repository_id IN (SELECT unnest($repositories))),
    (SELECT max(year(submitted_at)) FROM raw.reviews WHERE repository_id IN (SELECT unnest($repositories)));
