-- How current the published file is; a single row. One of an older version has no is_sample_data.
SELECT COLUMNS('^(published_at|as_of|version|metric_version|oldest_sync_at|newest_sync_at|newest_delivery_at|is_sample_data)$')
FROM pipeline_status
