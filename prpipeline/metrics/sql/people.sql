-- people: one row per account that was seen as an author, reviewer, merger, or as the actor or subject of an event.
--
-- Bots are in here, and marked: is_bot is what aggregates go by. Deleted accounts are not: GitHub does not say who they were.
-- team is the one that counts now for what the person does (team_periods), teams are all of now.
CREATE TABLE IF NOT EXISTS metrics.people (
    person_id     BIGINT,
    login         VARCHAR,
    former_logins VARCHAR,
    is_bot        BOOLEAN,
    team          VARCHAR,
    teams         VARCHAR,
    first_seen_at TIMESTAMP,
    last_seen_at  TIMESTAMP
);

DELETE FROM metrics.people;

INSERT INTO metrics.people BY NAME
WITH seen AS (
    SELECT actor_id, min(first_seen_at) AS first_seen_at, max(last_seen_at) AS last_seen_at
    FROM metrics.account_activity
    GROUP BY actor_id
),
positions AS (
    SELECT team, min(position) AS position FROM metrics.team_lists GROUP BY team
),
teams AS (
    SELECT person_id, string_agg(team, ', ' ORDER BY position) AS teams
    FROM metrics.team_members
    JOIN positions USING (team)
    WHERE is_current
    GROUP BY person_id
)
SELECT
    actor_id AS person_id,
    login,
    former_logins,
    metrics.is_bot(login, coalesce(of_type_bot, false), $bots) AS is_bot,
    period.team,
    teams,
    first_seen_at,
    last_seen_at
FROM seen
LEFT JOIN metrics.accounts USING (actor_id)
LEFT JOIN teams ON teams.person_id = actor_id
LEFT JOIN metrics.team_periods AS period
    ON period.person_id = actor_id AND period.started_at <= $as_of AND period.ended_at > $as_of
ORDER BY lower(login);
