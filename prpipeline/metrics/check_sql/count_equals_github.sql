-- warn on raw.pull_requests
-- A repository whose whole history is here has as many pull requests as GitHub counts. A few may be opened or
-- deleted between two syncs; the weekly reconciliation finds what stays missing. What GitHub counts and never lists is
-- a finding of lists_are_whole.
SELECT known.tracked_as AS repository, count(row.number) AS here, known.pull_requests_on_github AS on_github
FROM meta.repositories AS known
LEFT JOIN raw.pull_requests AS row USING (repository_id)
LEFT JOIN (FROM meta.shortfalls WHERE pull_request_id IS NULL) AS short USING (repository_id)
WHERE known.is_tracked AND known.status = 'ok'
  AND known.history_done_at IS NOT NULL AND known.history_days_back IS NULL
GROUP BY known.tracked_as, known.pull_requests_on_github
HAVING known.pull_requests_on_github NOT BETWEEN here AND here + coalesce(any_value(short.counted - short.listed), 0);
