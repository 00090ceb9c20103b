-- team_lists: who is in which team, as the repositories file says it: a row for each person listed, and one without a
-- login for a team that lists none. Of several teams the one with the lowest position counts.
CREATE TABLE IF NOT EXISTS metrics.team_lists (
    team         VARCHAR,
    position     BIGINT,
    login        VARCHAR,
    member_from  DATE,
    member_until DATE
);

DELETE FROM metrics.team_lists;

INSERT INTO metrics.team_lists BY NAME
SELECT
    unnest($listed_teams) AS team,
    unnest($listed_positions) AS position,
    unnest($listed_logins) AS login,
    unnest($listed_from) AS member_from,
    unnest($listed_until) AS member_until;
