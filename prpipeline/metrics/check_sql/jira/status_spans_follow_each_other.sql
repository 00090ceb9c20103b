-- error on metrics.issue_status_spans
-- An issue is in two statuses at the same time, or left one before it came into it.
SELECT issue_id, issue_key, status, started_at, ended_at
FROM metrics.issue_status_spans
QUALIFY ended_at <= started_at
    OR coalesce(ended_at, TIMESTAMP 'infinity') > lead(started_at) OVER (PARTITION BY issue_id ORDER BY started_at, ended_at);
