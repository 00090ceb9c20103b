-- What goes on in the tables of the flow without any change in raw, in every repository.
UPDATE metrics.pull_request_stages AS period
SET hours = metrics.hours_between(started_at, greatest(started_at, clock.as_of))
FROM metrics.repository_clocks AS clock
WHERE clock.repository_id = period.repository_id AND ended_at IS NULL;

UPDATE metrics.review_requests AS request
SET waiting_hours = metrics.hours_between(asked_at, greatest(asked_at, clock.as_of))
FROM metrics.repository_clocks AS clock
WHERE clock.repository_id = request.repository_id AND waiting_hours IS NOT NULL;

-- A repository that is no longer tracked has no days after its last sync, unless something happened on them.
DELETE FROM metrics.open_daily AS a
USING metrics.repository_clocks AS clock
WHERE clock.repository_id = a.repository_id
  AND a.day > clock.as_of::DATE
  AND a.day > (
    SELECT max(b.day) FROM metrics.open_daily AS b
    WHERE b.repository_id = a.repository_id AND (b.opened + b.reopened + b.closed + b.merged
        + b.bots_opened + b.bots_reopened + b.bots_closed + b.bots_merged) > 0
  );

INSERT INTO metrics.open_daily BY NAME
SELECT
    last.* REPLACE (
        CAST(unnest(range(day + INTERVAL 1 DAY, clock.as_of::DATE + INTERVAL 1 DAY, INTERVAL 1 DAY)) AS DATE) AS day,
        0 AS opened, 0 AS reopened, 0 AS closed, 0 AS merged,
        0 AS bots_opened, 0 AS bots_reopened, 0 AS bots_closed, 0 AS bots_merged
    )
FROM metrics.open_daily AS last
JOIN metrics.repository_clocks AS clock USING (repository_id)
WHERE (last.repository_id, last.day) IN (
    SELECT (repository_id, max(day)) FROM metrics.open_daily GROUP BY repository_id
);
