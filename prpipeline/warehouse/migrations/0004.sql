-- More of a pull request. Rows that are there were read with the first set of fields: sync fills them up by and by.
ALTER TABLE raw.pull_requests ADD COLUMN head_ref VARCHAR;
ALTER TABLE raw.pull_requests ADD COLUMN is_from_fork BOOLEAN;
ALTER TABLE raw.pull_requests ADD COLUMN milestone VARCHAR;
ALTER TABLE raw.pull_requests ADD COLUMN comments BIGINT;
ALTER TABLE raw.pull_requests ADD COLUMN commits BIGINT;
ALTER TABLE raw.pull_requests ADD COLUMN first_commit_at TIMESTAMP;
ALTER TABLE raw.pull_requests ADD COLUMN field_set BIGINT;
UPDATE raw.pull_requests SET field_set = 1;

ALTER TABLE raw.reviews ADD COLUMN has_text BOOLEAN;

CREATE TABLE raw.pull_request_labels (
    repository_id       BIGINT NOT NULL,
    pull_request_id     BIGINT NOT NULL,
    number              BIGINT NOT NULL,
    label               VARCHAR NOT NULL
);

-- Which login an account had when; as far as the rows tell, which then have the newest one.
CREATE TABLE raw.actor_logins (
    actor_id        BIGINT NOT NULL,
    login           VARCHAR NOT NULL,
    is_bot          BOOLEAN NOT NULL,
    first_read_at   TIMESTAMP NOT NULL,
    last_read_at    TIMESTAMP NOT NULL
);

INSERT INTO raw.actor_logins
SELECT actor_id, login, bool_or(is_bot), min(synced_at), max(synced_at)
FROM (
    SELECT author_id AS actor_id, author_login AS login, author_is_bot AS is_bot, synced_at FROM raw.pull_requests
    UNION ALL
    SELECT merged_by_id, merged_by_login, ends_with(merged_by_login, '[bot]'), synced_at FROM raw.pull_requests
    UNION ALL
    SELECT reviewer_id, reviewer_login, reviewer_is_bot, synced_at
    FROM raw.reviews JOIN raw.pull_requests USING (repository_id, pull_request_id)
    UNION ALL
    SELECT actor_id, actor_login, ends_with(actor_login, '[bot]'), synced_at
    FROM raw.review_events JOIN raw.pull_requests USING (repository_id, pull_request_id)
    UNION ALL
    SELECT subject_id, subject_login, ends_with(subject_login, '[bot]'), synced_at
    FROM raw.review_events JOIN raw.pull_requests USING (repository_id, pull_request_id)
    WHERE NOT subject_is_team
)
WHERE actor_id IS NOT NULL AND login IS NOT NULL
GROUP BY actor_id, login;

CREATE TEMP TABLE newest_logins AS
SELECT actor_id, arg_max(login, (last_read_at, first_read_at, login)) AS login
FROM raw.actor_logins GROUP BY actor_id HAVING count(*) > 1;

UPDATE raw.pull_requests SET author_login = newest.login
FROM newest_logins AS newest WHERE author_id = newest.actor_id AND author_login <> newest.login;

UPDATE raw.pull_requests SET merged_by_login = newest.login
FROM newest_logins AS newest WHERE merged_by_id = newest.actor_id AND merged_by_login <> newest.login;

UPDATE raw.reviews SET reviewer_login = newest.login
FROM newest_logins AS newest WHERE reviewer_id = newest.actor_id AND reviewer_login <> newest.login;

UPDATE raw.review_events SET actor_login = newest.login
FROM newest_logins AS newest WHERE review_events.actor_id = newest.actor_id AND actor_login <> newest.login;

UPDATE raw.review_events SET subject_login = newest.login
FROM newest_logins AS newest
WHERE subject_id = newest.actor_id AND NOT subject_is_team AND subject_login <> newest.login;

DROP TABLE newest_logins;

CREATE TABLE meta.shortfalls (
    repository_id   BIGINT NOT NULL,
    pull_request_id BIGINT,
    number          BIGINT,
    counted         BIGINT NOT NULL,
    listed          BIGINT NOT NULL,
    first_read_at   TIMESTAMP NOT NULL,
    last_read_at    TIMESTAMP NOT NULL
);

-- Alerts: why a sync failed, what was told to whom, and what is on its way.
ALTER TABLE meta.repositories ADD COLUMN last_failure VARCHAR;

CREATE TABLE meta.troubles (
    kind    VARCHAR NOT NULL,
    caller  VARCHAR NOT NULL,
    cause   VARCHAR NOT NULL,
    says    VARCHAR NOT NULL,
    since   TIMESTAMP NOT NULL
);

CREATE TABLE meta.alerts (
    target      VARCHAR NOT NULL,
    kind        VARCHAR NOT NULL,
    subject     VARCHAR NOT NULL,
    cause       VARCHAR NOT NULL,
    message_id  BIGINT NOT NULL,
    told_at     TIMESTAMP NOT NULL,
    accepted_at TIMESTAMP
);

CREATE TABLE meta.alert_outbox (
    message_id  BIGINT NOT NULL,
    target      VARCHAR NOT NULL,
    level       VARCHAR NOT NULL,
    title       VARCHAR NOT NULL,
    body        VARCHAR NOT NULL,
    made_at     TIMESTAMP NOT NULL
);
