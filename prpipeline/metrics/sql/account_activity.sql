-- account_activity: when each account was seen first and last in each repository: as an author, reviewer, merger, or as
-- the actor or subject of an event. Deleted accounts have no number, so they are not here.
CREATE TABLE IF NOT EXISTS metrics.account_activity (
    repository_id BIGINT,
    actor_id      BIGINT,
    first_seen_at TIMESTAMP,
    last_seen_at  TIMESTAMP
);

DELETE FROM metrics.account_activity WHERE repository_id IN (SELECT unnest($repositories));

INSERT INTO metrics.account_activity BY NAME
SELECT repository_id, actor_id, min(seen_at) AS first_seen_at, max(seen_at) AS last_seen_at
FROM (
    SELECT repository_id, author_id AS actor_id, created_at AS seen_at FROM raw.pull_requests
    UNION ALL
    SELECT repository_id, merged_by_id, merged_at FROM raw.pull_requests
    UNION ALL
    SELECT repository_id, reviewer_id, submitted_at FROM raw.reviews
    UNION ALL
    SELECT repository_id, actor_id, created_at FROM raw.review_events
    UNION ALL
    SELECT repository_id, subject_id, created_at FROM raw.review_events WHERE NOT subject_is_team
)
WHERE actor_id IS NOT NULL AND repository_id IN (SELECT unnest($repositories))
GROUP BY repository_id, actor_id;
