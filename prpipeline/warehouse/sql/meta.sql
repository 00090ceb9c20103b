-- The pipeline's own tables, for any source, in the current schema version. Times are UTC TIMESTAMPs.
-- No schema file has primary or foreign keys, indexes, sequences, enumerations or generated columns: keys enlarge the
-- file and break upserts of a parent, and data lakes support none of them. Batches are deduplicated and replaced by delete
-- and insert in one transaction; uniqueness is an asset check.

CREATE TABLE meta.schema_version (version INTEGER NOT NULL, applied_at TIMESTAMP NOT NULL);

-- One row per repository that is or was tracked. tracked_as is the partition key; repository_id is the identity.
CREATE TABLE meta.repositories (
    tracked_as              VARCHAR NOT NULL,
    is_tracked              BOOLEAN NOT NULL,
    tracked_at              TIMESTAMP NOT NULL,
    tracked_by              VARCHAR NOT NULL,       -- file, cli, ui, demo
    days_back               INTEGER,                -- NULL: all of the history
    team                    VARCHAR,
    repository_id           BIGINT,
    node_id                 VARCHAR,
    repository              VARCHAR,                -- the current owner/name
    status                  VARCHAR NOT NULL,       -- new, ok, failed, gone, forbidden
    last_attempt_at         TIMESTAMP,
    last_sync_at            TIMESTAMP,              -- the last success
    watermark_at            TIMESTAMP,              -- everything updated before this is in raw
    last_error              VARCHAR,
    pull_requests_on_github BIGINT,
    history_started_at      TIMESTAMP,              -- the server's clock; the first watermark
    history_cursor          VARCHAR,                -- where a killed history goes on
    history_days_back       INTEGER,
    history_done_at         TIMESTAMP,
    reconciled_at           TIMESTAMP,
    changed_at              TIMESTAMP,              -- when rows of it last changed; what publishing has to copy
    last_failure            VARCHAR                 -- the kind of last_error, see model/failures.py; NULL: not recorded
);

-- Which server the data of a service come from: the numbers of two servers collide.
CREATE TABLE meta.source_host (
    service VARCHAR NOT NULL,                       -- github
    address VARCHAR NOT NULL                        -- of its API, normalised; or demo
);

-- The last number of a sync, a publication and a message; no number is used again, even after its row was deleted.
CREATE TABLE meta.counters (
    name    VARCHAR NOT NULL,                       -- syncs, publications, messages
    value   BIGINT NOT NULL
);

-- One row per repository and sync that changed something or failed; rows older than 400 days are deleted.
CREATE TABLE meta.syncs (
    sync_id              BIGINT NOT NULL,           -- rises in the order of commits
    caller               VARCHAR,                   -- command_line, dagster, python, webhooks; NULL: from before this was recorded
    tracked_as           VARCHAR NOT NULL,
    repository_id        BIGINT,
    mode                 VARCHAR NOT NULL,          -- history, increment, reconcile, failed
    started_at           TIMESTAMP NOT NULL,
    finished_at          TIMESTAMP NOT NULL,
    pull_requests        BIGINT NOT NULL,
    reviews              BIGINT NOT NULL,
    removed              BIGINT NOT NULL,
    requests             DOUBLE NOT NULL,
    points               DOUBLE NOT NULL,
    seconds              DOUBLE NOT NULL,
    error                VARCHAR
);

-- One row per publication; rows older than 400 days are deleted.
CREATE TABLE meta.publications (
    publication_id  BIGINT NOT NULL,                -- rises in the order of commits
    published_at    TIMESTAMP NOT NULL,
    caller          VARCHAR NOT NULL,               -- command_line, dagster, python, webhooks
    is_whole        BOOLEAN NOT NULL,               -- written whole, or as a changed copy of the last one
    size_bytes      BIGINT NOT NULL,
    seconds         DOUBLE NOT NULL,
    row_counts      VARCHAR NOT NULL,               -- JSON: how many rows each published table has
    basis           VARCHAR NOT NULL                -- what was published: the next one with this basis shows nothing new
);

-- Rows that the source no longer has, removed on the strength of a complete answer. A schema file of another source
-- adds the column of what the row belonged to.
CREATE TABLE meta.removals (
    repository_id   BIGINT,
    kind            VARCHAR NOT NULL,               -- pull_request, review, review_event
    id              VARCHAR NOT NULL,
    number          BIGINT,
    removed_at      TIMESTAMP NOT NULL
);

-- Lists in which GitHub counted more rows than it gave, in every reading; without a pull request, the repository's own
-- list of pull requests, else the reviews of that pull request. What is whole again is deleted here.
CREATE TABLE meta.shortfalls (
    repository_id   BIGINT NOT NULL,
    pull_request_id BIGINT,
    number          BIGINT,                         -- of the pull request
    counted         BIGINT NOT NULL,
    listed          BIGINT NOT NULL,
    first_read_at   TIMESTAMP NOT NULL,             -- when these counts were read first, and last
    last_read_at    TIMESTAMP NOT NULL
);

-- What is wrong with a run or a release as a whole, until the next one goes well.
CREATE TABLE meta.troubles (
    kind    VARCHAR NOT NULL,                       -- run, release, bucket
    caller  VARCHAR NOT NULL,                       -- of a run; empty for a release, which is everybody's
    cause   VARCHAR NOT NULL,                       -- what it has in common with a trouble that is the same
    says    VARCHAR NOT NULL,                       -- the sentence for people
    since   TIMESTAMP NOT NULL
);

-- What targets of alerts were told: each thing that is wrong, until it is well again; and digests, for 400 days.
CREATE TABLE meta.alerts (
    target      VARCHAR NOT NULL,                   -- its name in the repositories file
    kind        VARCHAR NOT NULL,                   -- run, release, sync, freshness, digest
    subject     VARCHAR NOT NULL,                   -- a repository's tracked_as; a caller; of a digest the team
    cause       VARCHAR NOT NULL,                   -- of a digest the day or week
    message_id  BIGINT NOT NULL,
    told_at     TIMESTAMP NOT NULL,
    accepted_at TIMESTAMP                           -- when the target accepted the message; NULL: it is in the outbox
);

-- Messages that their target has not accepted yet, to be sent in the order of their numbers.
CREATE TABLE meta.alert_outbox (
    message_id  BIGINT NOT NULL,
    target      VARCHAR NOT NULL,
    level       VARCHAR NOT NULL,                   -- failure, success, info
    title       VARCHAR NOT NULL,
    body        VARCHAR NOT NULL,
    made_at     TIMESTAMP NOT NULL
);

-- By which definition a repository's metrics were computed.
CREATE TABLE meta.metric_states (
    repository_id       BIGINT NOT NULL,
    metric_version      INTEGER NOT NULL,
    settings_fingerprint VARCHAR NOT NULL,
    computed_at         TIMESTAMP NOT NULL
);

-- The ETags of conditional requests by REST, each with what its answer came to.
CREATE TABLE meta.etags (
    key     VARCHAR NOT NULL,
    etag    VARCHAR NOT NULL,
    value   VARCHAR NOT NULL
);
