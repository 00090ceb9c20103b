SELECT
    known.repository_id,
    coalesce(known.repository, known.tracked_as) AS repository,
    known.tracked_as,
    CASE WHEN known.is_tracked THEN known.status ELSE 'untracked' END AS status,
    known.last_sync_at,
    known.watermark_at,
    (SELECT count(*) FROM warehouse.raw.pull_requests AS pr WHERE pr.repository_id = known.repository_id)
        AS pull_requests,
    known.pull_requests_on_github,
    known.last_error,
    clock.as_of,
    CASE WHEN known.repository_id IS NULL THEN known.team ELSE names.team END AS team
FROM warehouse.meta.repositories AS known
LEFT JOIN warehouse.metrics.repository_clocks AS clock USING (repository_id)
LEFT JOIN names USING (repository_id)
ORDER BY lower(known.tracked_as)
