SELECT
    $published_at AS published_at,
    coalesce((SELECT max(as_of) FROM warehouse.metrics.metric_settings), $published_at) AS as_of,
    $version AS version,
    (SELECT metric_version FROM warehouse.metrics.definitions) AS metric_version,
    count(*) AS repositories,
    count(*) FILTER (last_error IS NOT NULL) AS repositories_failed,
    min(last_sync_at) AS oldest_sync_at,
    max(last_sync_at) AS newest_sync_at,
    (SELECT failed FROM jira_syncs) AS jira_projects_failed,
    (SELECT oldest_sync_at FROM jira_syncs) AS oldest_jira_sync_at,
    $next_run_at::TIMESTAMP AS next_run_at,
    $newest_delivery_at::TIMESTAMP AS newest_delivery_at,
    $median_delivery_seconds::DOUBLE AS median_delivery_seconds,
    (SELECT count(*) FROM warehouse.meta.repositories WHERE tracked_by = 'demo') > 0 AS is_sample_data
FROM warehouse.meta.repositories WHERE is_tracked
