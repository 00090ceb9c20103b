-- teams: one row per team that the repositories file names, for people or for a repository, or that is taken from GitHub.
--
-- source is file where the file names it; github_team is the team of GitHub whose name it has, as organisation/team.
-- people are those of now; unknown_logins are the ones among them that no account is known to have had.
CREATE TABLE IF NOT EXISTS metrics.teams (
    team           VARCHAR,
    source         VARCHAR,
    github_team    VARCHAR,
    people         BIGINT,
    unknown_logins VARCHAR,
    repositories   BIGINT
);

DELETE FROM metrics.teams;

INSERT INTO metrics.teams BY NAME
WITH listed AS (
    SELECT team, min(position) AS position, min(source) AS source, max(github_team) AS github_team
    FROM metrics.team_lists
    GROUP BY team
),
members AS (
    SELECT
        team,
        count(*) FILTER (is_current) AS people,
        string_agg(DISTINCT login, ', ' ORDER BY login) FILTER (person_id IS NULL) AS unknown_logins
    FROM metrics.team_members
    GROUP BY team
),
owners AS (
    SELECT team, count(*) AS repositories FROM metrics.repository_names WHERE team IS NOT NULL GROUP BY team
)
SELECT
    team,
    coalesce(source, 'file') AS source,
    github_team,
    coalesce(people, 0) AS people,
    unknown_logins,
    coalesce(repositories, 0) AS repositories
FROM listed
FULL JOIN owners USING (team)
LEFT JOIN members USING (team)
ORDER BY position NULLS LAST, team;
