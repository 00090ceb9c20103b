-- error on raw.pull_requests
-- A pull request is stored twice, so all that counts or sums is too high.
SELECT repository_id, number, count(*) AS rows
FROM raw.pull_requests
GROUP BY repository_id, number
HAVING count(*) > 1;
