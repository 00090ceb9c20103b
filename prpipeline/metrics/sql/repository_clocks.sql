-- What is now for clocks that still run, by repository: as_of, or the last sync of one that is no longer tracked, for
-- nobody knows what happened since. Tracked under several names, a repository is tracked as long as one of them is.
CREATE OR REPLACE VIEW metrics.repository_clocks AS
    SELECT
        repository_id,
        bool_or(is_tracked) AS is_tracked,
        CASE WHEN bool_or(is_tracked) THEN any_value(as_of)
            ELSE coalesce(max(last_sync_at), max(last_attempt_at), min(tracked_at)) END AS as_of
    FROM meta.repositories CROSS JOIN metrics.metric_settings
    WHERE repository_id IS NOT NULL
    GROUP BY repository_id;
