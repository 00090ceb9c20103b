-- tracked_by instead of source; which server the data are of; numbered syncs and publications with their callers;
-- removals of other things than a repository's.
ALTER TABLE meta.repositories RENAME COLUMN source TO tracked_by;

ALTER TABLE meta.removals ALTER COLUMN repository_id DROP NOT NULL;

CREATE TABLE meta.source_host (
    service VARCHAR NOT NULL,
    address VARCHAR NOT NULL
);

CREATE TABLE meta.counters (
    name    VARCHAR NOT NULL,
    value   BIGINT NOT NULL
);

CREATE TABLE meta.publications (
    publication_id  BIGINT NOT NULL,
    published_at    TIMESTAMP NOT NULL,
    caller          VARCHAR NOT NULL,
    is_whole        BOOLEAN NOT NULL,
    size_bytes      BIGINT NOT NULL,
    seconds         DOUBLE NOT NULL,
    row_counts      VARCHAR NOT NULL,
    basis           VARCHAR NOT NULL
);

ALTER TABLE meta.syncs RENAME TO syncs_of_version_2;

CREATE TABLE meta.syncs (
    sync_id              BIGINT NOT NULL,
    caller               VARCHAR,
    tracked_as           VARCHAR NOT NULL,
    repository_id        BIGINT,
    mode                 VARCHAR NOT NULL,
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

INSERT INTO meta.syncs BY NAME
SELECT row_number() OVER (ORDER BY finished_at, started_at, tracked_as) AS sync_id, * FROM meta.syncs_of_version_2;

DROP TABLE meta.syncs_of_version_2;

INSERT INTO meta.counters SELECT 'syncs', coalesce(max(sync_id), 0) FROM meta.syncs;

-- Only probes are conditional now, and remember no whole pull requests.
DELETE FROM meta.etags WHERE key NOT LIKE '%?newest';
