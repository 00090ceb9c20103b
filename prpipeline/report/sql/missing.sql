-- What a file that an earlier version published lacks of what the report reads.
SELECT needed.table_name || '.' || needed.column_name AS name
FROM (
    VALUES ('review_time_hours', 'is_counted'), ('review_time_hours', 'author_team'), ('repositories', 'team'), ('repositories', 'as_of'),
        ('review_evidence', 'is_inline_only'), ('pull_request_stages', 'stage'), ('review_requests', 'asked_at'),
        ('open_daily', 'waiting')
) AS needed(table_name, column_name)
ANTI JOIN (SELECT table_name, column_name FROM duckdb_columns() WHERE NOT internal) USING (table_name, column_name)
