-- warn on raw.pull_requests
-- GitHub counts more rows than it lists, in every reading: pull requests of a repository, or reviews of one of them. What
-- it lists is here; reconciling asks again.
SELECT
    repository_id,
    number,
    CASE WHEN pull_request_id IS NULL THEN 'pull requests' ELSE 'reviews' END AS what,
    counted AS counted_by_github,
    listed AS listed_by_github,
    first_read_at AS since
FROM meta.shortfalls
ORDER BY repository_id, number NULLS FIRST;
