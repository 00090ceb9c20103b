-- What goes on without any change in raw: clocks that still run, for every repository.
UPDATE metrics.pull_request_times
SET waiting_hours = metrics.hours_between(ready_at, greatest($as_of, ready_at))
WHERE waiting_hours IS NOT NULL;

-- Where the last spell has not ended and draft_hours are known, it is a draft now.
UPDATE metrics.pull_request_times AS pull_request
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
  AND pull_request.is_open
  AND pull_request.draft_hours IS NOT NULL;

-- Repositories renamed since their rows were made: these bear the name of now. All else joins the names.
UPDATE metrics.draft_spells AS entry
SET repository = names.repository
FROM metrics.names
WHERE entry.repository_id = names.repository_id AND entry.repository IS DISTINCT FROM names.repository;

UPDATE metrics.reviewer_weekly AS entry
SET repository = names.repository
FROM metrics.names
WHERE entry.repository_id = names.repository_id AND entry.repository IS DISTINCT FROM names.repository;

UPDATE metrics.author_weekly AS entry
SET repository = names.repository
FROM metrics.names
WHERE entry.repository_id = names.repository_id AND entry.repository IS DISTINCT FROM names.repository;
