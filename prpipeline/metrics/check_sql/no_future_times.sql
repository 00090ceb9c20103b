-- warn on raw.pull_requests
-- Something happened more than an hour after it was fetched: one of the clocks is wrong.
SELECT repository_id, number, created_at, closed_at, merged_at, synced_at
FROM raw.pull_requests
WHERE greatest(created_at, closed_at, merged_at) > synced_at + INTERVAL 1 HOUR;
