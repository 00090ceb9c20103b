-- team_members: one row per team, person and period in which the person is in the team.
--
-- source says who says so: file is the repositories file, github the organisation's own team. There member_from is the day on
-- which it was first read that the person is in it (since ever for those whom the first reading of the organisation found),
-- and member_until the day before it was first read that they are not.
-- A listed login is the account that has it now, or else the one that had it last; upper and lower case are equal.
-- A login that no account is known to have had has no person_id; then nothing counts for the team by it.
-- member_from and member_until are days in UTC, both in the period; NULL is since ever, and to this day and on.
-- Periods of a person in a team that meet or overlap are one.
CREATE TABLE IF NOT EXISTS metrics.team_members (
    team         VARCHAR,
    source       VARCHAR,
    login        VARCHAR,
    member_from  DATE,
    member_until DATE,
    is_current   BOOLEAN,
    person_id    BIGINT
);

DELETE FROM metrics.team_members;

INSERT INTO metrics.team_members BY NAME
WITH holders AS (
    SELECT lower(held.login) AS key,
        arg_max(actor_id, (lower(held.login) = lower(account.login), last_read_at, actor_id)) AS person_id
    FROM raw.actor_logins AS held
    JOIN metrics.accounts AS account USING (actor_id)
    GROUP BY key
),
listed AS (
    SELECT
        team,
        source,
        account.actor_id AS person_id,
        coalesce(account.actor_id::VARCHAR, lower(list.login)) AS person,
        coalesce(account.login, list.login) AS login,
        coalesce(member_from, DATE '-infinity') AS started_on,
        coalesce(member_until + 1, DATE 'infinity') AS ended_on
    FROM metrics.team_lists AS list
    LEFT JOIN holders ON key = lower(list.login)
    LEFT JOIN metrics.accounts AS account ON account.actor_id = coalesce(list.person_id, holders.person_id)
    WHERE coalesce(list.login, list.person_id::VARCHAR) IS NOT NULL
),
marked AS (
    SELECT *, started_on > max(ended_on) OVER before AS is_after_gap
    FROM listed
    WINDOW before AS (
        PARTITION BY team, person ORDER BY started_on, ended_on ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    )
),
numbered AS (
    SELECT *, count(*) FILTER (is_after_gap) OVER (
        PARTITION BY team, person ORDER BY started_on, ended_on ROWS UNBOUNDED PRECEDING
    ) AS period
    FROM marked
)
SELECT
    team,
    any_value(source) AS source,
    min(login) AS login,
    CASE WHEN min(started_on) > DATE '-infinity' THEN min(started_on) END AS member_from,
    CASE WHEN max(ended_on) < DATE 'infinity' THEN max(ended_on) - 1 END AS member_until,
    min(started_on) <= $as_of AND max(ended_on) > $as_of AS is_current,
    any_value(person_id) AS person_id
FROM numbered
GROUP BY team, person, period
ORDER BY team, lower(min(login)), min(started_on);
