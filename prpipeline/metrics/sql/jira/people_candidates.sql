-- Each account of Jira that may be a person's, by the surest of the ways that lead from one to the other: the map in the
-- repositories file, the e-mail address (of which of GitHub's only a hash is kept), the name, in any case and with any spaces.
-- is_clear: it is the only one. Bots, apps and who is nobody by the map match nothing, and what the map says is not guessed.
CREATE OR REPLACE VIEW metrics.people_candidates AS
WITH persons AS (
    SELECT
        people.person_id,
        people.login,
        accounts.logins,
        profile.email_sha256,
        nullif(trim(regexp_replace(nfc_normalize(lower(profile.name)), '[\s\x{00A0}]+', ' ', 'g')), '') AS folded
    FROM metrics.people
    JOIN metrics.accounts ON accounts.actor_id = people.person_id
    LEFT JOIN raw.github_profiles AS profile ON profile.actor_id = people.person_id
    WHERE NOT people.is_bot
),
users AS (
    SELECT
        account_id,
        display_name,
        lower(trim(email)) AS email,
        nullif(trim(regexp_replace(nfc_normalize(lower(display_name)), '[\s\x{00A0}]+', ' ', 'g')), '') AS folded
    FROM raw.jira_users
    WHERE account_type IS DISTINCT FROM 'app'
),
mapped AS (
    SELECT persons.person_id, map.account
    FROM meta.jira_people AS map
    JOIN persons ON list_contains(list_transform(persons.logins, lambda each: lower(each)), map.login)
),
found AS (
    SELECT 1 AS rank, 'map' AS method, person_id, account_id, mapped.account AS of_person, account_id AS of_account
    FROM mapped
    JOIN users ON users.account_id = mapped.account OR users.email = lower(mapped.account)
    UNION ALL
    SELECT 2, 'e-mail', person_id, account_id, email, email
    FROM persons
    JOIN users ON sha256(users.email) = persons.email_sha256
    WHERE person_id NOT IN (SELECT person_id FROM mapped)
    UNION ALL
    SELECT 3, 'name', person_id, account_id, folded, folded
    FROM persons
    JOIN users USING (folded)
    WHERE person_id NOT IN (SELECT person_id FROM mapped)
),
best AS (
    SELECT *
    FROM found
    QUALIFY rank = min(rank) OVER (PARTITION BY person_id) AND rank = min(rank) OVER (PARTITION BY account_id)
)
SELECT
    best.person_id,
    persons.login,
    best.account_id,
    users.display_name,
    method,
    method = 'name' AS is_weak,
    -- A name is to be unique among all, whoever of them is matched in a surer way.
    CASE method
        WHEN 'map' THEN count(*) OVER (PARTITION BY best.person_id, of_person) = 1
        WHEN 'e-mail' THEN count(*) OVER (PARTITION BY method, of_person) = 1
        ELSE (SELECT count(*) FROM persons AS one WHERE one.folded = best.of_person) = 1
            AND (SELECT count(*) FROM users AS one WHERE one.folded = best.of_person) = 1
    END AS is_clear
FROM best
JOIN persons ON persons.person_id = best.person_id
JOIN users ON users.account_id = best.account_id;
