-- warn on raw.pull_requests
-- A pull request is merged exactly where it has a time of merging, and open exactly where it has none of closing.
SELECT repository_id, number, state, closed_at, merged_at
FROM raw.pull_requests
WHERE (state = 'merged') IS DISTINCT FROM (merged_at IS NOT NULL)
   OR (state = 'open') IS DISTINCT FROM (closed_at IS NULL);
