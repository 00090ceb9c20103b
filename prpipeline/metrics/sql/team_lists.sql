-- team_lists: who is in which team, as the repositories file says it, or GitHub: a row for each person and period, and one
-- without a person for a team that has none. Of several teams the one with the lowest position counts.
--
-- Those of the file come first, in its order; then, where the setting teams_from_github takes them, those of GitHub: in the
-- order of its entries, child teams before those above them, and then by name. A team of GitHub has its name there; where
-- two of them have the same, organisation/team. Where the file lists people for a team of that name, in any case, the file's
-- count, and else it is the file's team with GitHub's people.
CREATE TABLE IF NOT EXISTS metrics.team_lists (
    team         VARCHAR,
    position     BIGINT,
    source       VARCHAR,
    github_team  VARCHAR,
    login        VARCHAR,
    person_id    BIGINT,
    member_from  DATE,
    member_until DATE
);

DELETE FROM metrics.team_lists;

INSERT INTO metrics.team_lists BY NAME
WITH listed AS (
    SELECT
        unnest($listed_teams::VARCHAR[]) AS team,
        unnest($listed_positions::BIGINT[]) AS position,
        unnest($listed_logins::VARCHAR[]) AS login,
        unnest($listed_from::DATE[]) AS member_from,
        unnest($listed_until::DATE[]) AS member_until
),
chosen AS (
    SELECT
        team_id,
        name,
        depth,
        organization || '/' || slug AS github_team,
        least(
            list_position($teams_of_github::VARCHAR[], lower(organization)),
            list_position($teams_of_github::VARCHAR[], lower(organization || '/' || slug))
        ) AS entry
    FROM raw.teams
    WHERE $all_teams_of_github OR entry IS NOT NULL
),
named AS (
    SELECT *, CASE WHEN count(DISTINCT github_team) OVER (PARTITION BY lower(name)) = 1 THEN name ELSE github_team END AS team
    FROM chosen
),
placed AS (
    SELECT
        team_id,
        github_team,
        coalesce(of_file.team, named.team) AS team,
        coalesce(of_file.position, (SELECT count(DISTINCT team) FROM listed)
            + row_number() OVER (ORDER BY entry, depth DESC, lower(named.team), team_id)) AS position,
        of_file.team IS NOT NULL AS is_of_file,
        coalesce(has_people, false) AS has_people
    FROM named
    LEFT JOIN (
        SELECT team, min(position) AS position, count(login) > 0 AS has_people FROM listed GROUP BY team
    ) AS of_file ON lower(of_file.team) = lower(named.team)
)
SELECT team, position, 'file' AS source, NULL AS github_team, login, NULL AS person_id, member_from, member_until
FROM listed
UNION ALL BY NAME
SELECT
    team,
    position,
    CASE WHEN actor_id IS NULL AND is_of_file THEN 'file' ELSE 'github' END AS source,
    github_team,
    actor_id AS person_id,
    joined_on AS member_from,
    left_on - 1 AS member_until
FROM placed
LEFT JOIN raw.team_members AS member ON member.team_id = placed.team_id
WHERE NOT has_people;
