-- error on metrics.issues
-- An issue was started or done before it was created, or done before it was started; or it is done and in another status.
SELECT issue_id, issue_key, status, created_at, started_at, done_at
FROM metrics.issues
WHERE started_at < created_at OR done_at < created_at OR done_at < started_at
   OR (done_at IS NOT NULL AND status_category IS DISTINCT FROM 'done');
