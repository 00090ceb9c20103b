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
SELECT repository_id, actor_id, min(first) AS first_seen_at, max(last) AS last_seen_at
FROM (
    SELECT repository_id, author_id AS actor_id, min(created_at) AS first, max(created_at) AS last
    FROM raw.pull_requests
    WHERE repository_id IN (SELECT unnest($repositories))
    GROUP BY ALL
    UNION ALL
    SELECT repository_id, merged_by_id, min(merged_at), max(merged_at)
    FROM raw.pull_requests
    WHERE repository_id IN (SELECT unnest($repositories))
    GROUP BY ALL
    UNION ALL
    SELECT repository_id, reviewer_id, min(submitted_at), max(submitted_at)
    FROM raw.reviews
    WHERE repository_id IN (SELECT unnest($repositories))
    GROUP BY ALL
    UNION ALL
    SELECT repository_id, actor_id, min(created_at), max(created_at)
    FROM raw.review_events
    WHERE repository_id IN (SELECT unnest($repositories))
    GROUP BY ALL
    UNION ALL
    SELECT repository_id, subject_id, min(created_at), max(created_at)
    FROM raw.review_events
    WHERE repository_id IN (SELECT unnest($repositories)) AND NOT subject_is_team
    GROUP BY ALL
)
WHERE actor_id IS NOT NULL
GROUP BY repository_id, actor_id;
