-- error on metrics.review_evidence
-- A repository's reviews and the evidence on them differ in number.
SELECT repository_id, coalesce(reviews, 0) AS reviews, coalesce(evidence, 0) AS evidence
FROM (SELECT repository_id, count(*) AS reviews FROM raw.reviews GROUP BY repository_id)
FULL JOIN (SELECT repository_id, count(*) AS evidence FROM metrics.review_evidence GROUP BY repository_id)
    USING (repository_id)
WHERE reviews IS DISTINCT FROM evidence;
