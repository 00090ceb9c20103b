-- How current the published file is, in one row.
SELECT published_at, version, metric_version, oldest_sync_at, newest_sync_at FROM pipeline_status
