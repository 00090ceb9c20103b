-- warn on metrics.issues
-- The changelog of an issue does not lead to its present status, so that times of it may be missing.
SELECT issue_id, issue_key, status FROM metrics.issues WHERE has_broken_changes AND NOT is_gone;
