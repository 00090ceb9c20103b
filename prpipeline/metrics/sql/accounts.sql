-- Every account that raw names, by its number: its newest login, the former ones (the newest first), and whether GitHub
-- calls it a bot. The newest login is the one that was read last.
CREATE OR REPLACE VIEW metrics.accounts AS
WITH logins AS (
    SELECT
        actor_id,
        list(login ORDER BY last_read_at DESC, first_read_at DESC, login DESC) AS logins,
        bool_or(is_bot) AS of_type_bot
    FROM raw.actor_logins
    GROUP BY actor_id
)
SELECT actor_id, logins[1] AS login, nullif(array_to_string(logins[2:], ', '), '') AS former_logins, logins, of_type_bot
FROM logins;
