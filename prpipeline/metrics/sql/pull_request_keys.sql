-- pull_request_keys: one row per key of a ticket in the title or the branch of a pull request, once for each of the two.
--
-- A key is one of the configured prefixes (ticket_prefixes) and a number, see key_pattern. Other words of this shape, such as UTF-8 and CVE-2024, are so left out; without prefixes there are no rows.
-- In titles a key has upper case; in branches any, and is stored in upper case. position counts the keys of a source from
-- 1, each where it first stands. is_primary: the first of the title, or else of the branch.

CREATE TABLE IF NOT EXISTS metrics.pull_request_keys (
    repository      VARCHAR,
    number          BIGINT,
    key             VARCHAR,
    source          VARCHAR,
    position        BIGINT,
    is_primary      BOOLEAN,
    is_bot_author   BOOLEAN,
    pull_request_id BIGINT,
    repository_id   BIGINT
);

DELETE FROM metrics.pull_request_keys WHERE repository_id IN (SELECT unnest($repositories));

INSERT INTO metrics.pull_request_keys BY NAME
WITH found AS (
    SELECT repository_id, pull_request_id, 'title' AS source,
        regexp_extract_all(title, metrics.key_pattern($ticket_prefixes), 1) AS keys
    FROM raw.pull_requests
    WHERE repository_id IN (SELECT unnest($repositories)) AND len($ticket_prefixes) > 0
    UNION ALL
    SELECT repository_id, pull_request_id, 'branch',
        regexp_extract_all(head_ref, metrics.key_pattern($ticket_prefixes), 1, 'i')
    FROM raw.pull_requests
    WHERE repository_id IN (SELECT unnest($repositories)) AND len($ticket_prefixes) > 0
),
listed AS (
    SELECT repository_id, pull_request_id, source, upper(unnest(keys)) AS key, generate_subscripts(keys, 1) AS place
    FROM found
    WHERE len(keys) > 0
),
placed AS (
    SELECT repository_id, pull_request_id, source, key, min(place) AS place
    FROM listed
    WHERE metrics.is_key(key)
    GROUP BY ALL
)
SELECT
    repository_names.repository,
    times.number,
    key,
    source,
    row_number() OVER (PARTITION BY pull_request_id, source ORDER BY place) AS position,
    row_number() OVER (PARTITION BY pull_request_id ORDER BY source DESC, place) = 1 AS is_primary,
    times.is_bot_author,
    pull_request_id,
    placed.repository_id
FROM placed
JOIN metrics.pull_request_times AS times USING (pull_request_id)
LEFT JOIN metrics.repository_names ON repository_names.repository_id = placed.repository_id
WHERE times.repository_id IN (SELECT unnest($repositories));
