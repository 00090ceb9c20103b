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
