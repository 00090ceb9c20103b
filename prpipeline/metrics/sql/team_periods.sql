-- team_periods: which team a person is of when, one at a time: of several the one that is listed first.
CREATE TABLE IF NOT EXISTS metrics.team_periods (
    person_id  BIGINT,
    team       VARCHAR,
    started_at TIMESTAMP,
    ended_at   TIMESTAMP
);

DELETE FROM metrics.team_periods;

INSERT INTO metrics.team_periods BY NAME
WITH positions AS (
    SELECT team, min(position) AS position FROM metrics.team_lists GROUP BY team
),
members AS (
    SELECT person_id, team, position,
        coalesce(member_from, DATE '-infinity')::TIMESTAMP AS started_at,
        coalesce(member_until + 1, DATE 'infinity')::TIMESTAMP AS ended_at
    FROM metrics.team_members
    JOIN positions USING (team)
    WHERE person_id IS NOT NULL
),
bounds AS (
    SELECT DISTINCT person_id, unnest([started_at, ended_at]) AS started_at FROM members
),
pieces AS (
    SELECT person_id, started_at, lead(started_at) OVER (PARTITION BY person_id ORDER BY started_at) AS ended_at
    FROM bounds
)
SELECT person_id, arg_min(team, position) AS team, piece.started_at, piece.ended_at
FROM pieces AS piece
JOIN members USING (person_id)
WHERE members.started_at <= piece.started_at AND members.ended_at >= piece.ended_at
GROUP BY person_id, piece.started_at, piece.ended_at;
