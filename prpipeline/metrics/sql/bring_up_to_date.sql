-- What goes on without any change in raw.
--
-- Clocks that still run go on for every repository, also where nothing changed since its rows were made.
UPDATE metrics.review_time_hours
SET waiting_hours = metrics.hours_between(ready_at, greatest($as_of, ready_at))
WHERE waiting_hours IS NOT NULL;

UPDATE metrics.review_time_hours AS pull_request
SET draft_hours = metrics.hours(spells.seconds)
FROM (
    SELECT
        pull_request_id,
        CAST(sum(date_diff('second', started_at, greatest(started_at, coalesce(ended_at, $as_of)))) AS BIGINT)
            AS seconds
    FROM metrics.draft_spells
    GROUP BY pull_request_id
    HAVING bool_or(ended_at IS NULL)
) AS spells
WHERE pull_request.pull_request_id = spells.pull_request_id
  AND pull_request.state = 'open'
  AND pull_request.is_draft
  AND pull_request.draft_hours IS NOT NULL;

-- A repository renamed, or given to another team, since its rows were made: its rows bear its name of now.
UPDATE metrics.review_time_hours AS entry
SET repository = names.repository, team = names.team
FROM metrics.names() AS names
WHERE entry.repository_id = names.repository_id
  AND (entry.repository IS DISTINCT FROM names.repository OR entry.team IS DISTINCT FROM names.team);

UPDATE metrics.review_evidence AS entry
SET repository = names.repository
FROM metrics.names() AS names
WHERE entry.repository_id = names.repository_id AND entry.repository IS DISTINCT FROM names.repository;

UPDATE metrics.draft_spells AS entry
SET repository = names.repository
FROM metrics.names() AS names
WHERE entry.repository_id = names.repository_id AND entry.repository IS DISTINCT FROM names.repository;
