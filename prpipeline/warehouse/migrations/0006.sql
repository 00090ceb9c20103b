-- Version 6: keys of issues in the bodies of pull requests. Nothing was looked for in the bodies of rows that are there.
ALTER TABLE raw.pull_requests ADD COLUMN has_body_keys BOOLEAN;

CREATE TABLE raw.pull_request_body_keys (
    repository_id       BIGINT NOT NULL,
    pull_request_id     BIGINT NOT NULL,
    number              BIGINT NOT NULL,
    key                 VARCHAR NOT NULL,
    position            BIGINT NOT NULL
);
