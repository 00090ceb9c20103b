-- error on raw.reviews
-- A review is stored twice, so all that counts or sums is too high.
SELECT repository_id, number, review_id, count(*) AS rows
FROM raw.reviews
GROUP BY repository_id, number, review_id
HAVING count(*) > 1;
