-- The warehouse's own tables, current schema version. Times are UTC TIMESTAMPs.
-- No primary or foreign keys: they grow the file and break upserts of a parent; batches are deduplicated,
-- replaced by delete and insert in one transaction, and uniqueness is an asset check.

CREATE SCHEMA raw;
CREATE SCHEMA meta;
CREATE SCHEMA metrics;

CREATE TABLE meta.schema_version (version INTEGER NOT NULL, applied_at TIMESTAMP NOT NULL);

-- One row per repository that is or was tracked. tracked_as is the partition key; repository_id is the identity.
CREATE TABLE meta.repositories (
    tracked_as              VARCHAR NOT NULL,
    is_tracked              BOOLEAN NOT NULL,
    tracked_at              TIMESTAMP NOT NULL,
    source                  VARCHAR NOT NULL,       -- file, cli, ui
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
    changed_at              TIMESTAMP               -- when rows of it last changed; what publishing has to copy
);

-- One row per repository and sync, for status, metadata and the curious.
CREATE TABLE meta.syncs (
    tracked_as           VARCHAR NOT NULL,
    repository_id        BIGINT,
    mode                 VARCHAR NOT NULL,          -- history, increment, reconcile, unchanged, failed
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

-- Rows that GitHub no longer has, removed on the strength of a complete answer.
CREATE TABLE meta.removals (
    repository_id   BIGINT NOT NULL,
    kind            VARCHAR NOT NULL,               -- pull_request, review, review_event
    id              VARCHAR NOT NULL,
    number          BIGINT,
    removed_at      TIMESTAMP NOT NULL
);

-- By which definition a repository's metrics were computed.
CREATE TABLE meta.metric_states (
    repository_id       BIGINT NOT NULL,
    metric_version      INTEGER NOT NULL,
    settings_fingerprint VARCHAR NOT NULL,
    computed_at         TIMESTAMP NOT NULL
);

-- What conditional requests by REST remember between two runs, with what the answers came to: quiet repositories
-- are then probed for nothing, and open pull requests that did not change are read for nothing.
CREATE TABLE meta.etags (
    key     VARCHAR NOT NULL,
    etag    VARCHAR NOT NULL,
    value   VARCHAR NOT NULL
);

CREATE TABLE raw.pull_requests (
    repository_id       BIGINT NOT NULL,
    pull_request_id     BIGINT NOT NULL,
    node_id             VARCHAR NOT NULL,
    number              BIGINT NOT NULL,
    title               VARCHAR NOT NULL,
    state               VARCHAR NOT NULL,           -- open, closed, merged
    author_id           BIGINT,
    author_login        VARCHAR,
    author_is_bot       BOOLEAN NOT NULL,
    is_draft            BOOLEAN NOT NULL,
    created_at          TIMESTAMP NOT NULL,
    updated_at          TIMESTAMP NOT NULL,
    closed_at           TIMESTAMP,
    merged_at           TIMESTAMP,
    merged_by_id        BIGINT,
    merged_by_login     VARCHAR,
    additions           BIGINT,
    deletions           BIGINT,
    changed_files       BIGINT,
    base_ref            VARCHAR,
    url                 VARCHAR NOT NULL,
    synced_at           TIMESTAMP NOT NULL
);

CREATE TABLE raw.reviews (
    repository_id       BIGINT NOT NULL,
    pull_request_id     BIGINT NOT NULL,
    number              BIGINT NOT NULL,            -- of the pull request
    review_id           BIGINT NOT NULL,
    node_id             VARCHAR NOT NULL,
    reviewer_id         BIGINT,
    reviewer_login      VARCHAR,
    reviewer_is_bot     BOOLEAN NOT NULL,
    state               VARCHAR NOT NULL,           -- APPROVED, CHANGES_REQUESTED, COMMENTED, DISMISSED
    submitted_at        TIMESTAMP NOT NULL
);

CREATE TABLE raw.review_events (
    repository_id       BIGINT NOT NULL,
    pull_request_id     BIGINT NOT NULL,
    number              BIGINT NOT NULL,
    event_id            VARCHAR NOT NULL,           -- GitHub's node id: GraphQL gives events no number
    event               VARCHAR NOT NULL,           -- ready_for_review, converted_to_draft, review_requested,
                                                    -- review_request_removed, review_dismissed, closed, reopened
    actor_id            BIGINT,
    actor_login         VARCHAR,
    subject_id          BIGINT,                     -- who was asked: a user, or a team
    subject_login       VARCHAR,                    -- a login, or org/team
    subject_is_team     BOOLEAN NOT NULL,
    review_id           BIGINT,                     -- of review_dismissed: which review,
    previous_state      VARCHAR,                    -- and what it had said
    created_at          TIMESTAMP NOT NULL
);
