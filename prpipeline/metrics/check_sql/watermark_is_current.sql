-- warn on raw.pull_requests
-- Everything that changed up to $hours hours ago (two periods of the schedule) is here, of every tracked
-- repository. One that GitHub no longer shows counts too, until it is untracked.
SELECT tracked_as AS repository, status, watermark_at, last_error
FROM meta.repositories
WHERE is_tracked
  AND coalesce(watermark_at, tracked_at) < now()::TIMESTAMP - to_hours($hours)
ORDER BY watermark_at NULLS FIRST;
