-- A row where the file has issues of Jira.
SELECT 1 AS found FROM duckdb_tables() WHERE database_name = current_database() AND table_name = 'issues' LIMIT 1
