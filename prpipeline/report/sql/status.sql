-- How current the published file is; a single row. One of an older version has fewer columns.
SELECT COLUMNS('^(published_at|as_of|version|metric_version|oldest_sync_at|newest_sync_at|newest_delivery_at|jira_projects_failed|oldest_jira_sync_at|is_sample_data)$')
FROM pipeline_status
