-- Pull requests with their reviews and events. Columns are filled from the records of prpipeline.model.pull_requests by
-- name: author_login is author.login.

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
    synced_at           TIMESTAMP NOT NULL,
    head_ref            VARCHAR,                    -- this and what follows: NULL also where it was not read yet
    is_from_fork        BOOLEAN,
    milestone           VARCHAR,                    -- its title
    comments            BIGINT,                     -- of the conversation
    commits             BIGINT,
    first_commit_at     TIMESTAMP,                  -- when the first commit that GitHub lists was authored
    field_set           BIGINT,                     -- which fields the row was read with: model/field_sets.py
    has_body_keys       BOOLEAN                     -- whether keys were looked for in the body of this state
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
    submitted_at        TIMESTAMP NOT NULL,
    has_text            BOOLEAN                     -- of its own, beside its inline comments; NULL: not read yet
);

CREATE TABLE raw.pull_request_labels (
    repository_id       BIGINT NOT NULL,
    pull_request_id     BIGINT NOT NULL,
    number              BIGINT NOT NULL,
    label               VARCHAR NOT NULL
);

-- Words of bodies that may be keys of issues; of bodies nothing else is kept. Only with body in jira.links_from. Rows of a pull
-- request without has_body_keys are of an earlier state.
CREATE TABLE raw.pull_request_body_keys (
    repository_id       BIGINT NOT NULL,
    pull_request_id     BIGINT NOT NULL,
    number              BIGINT NOT NULL,            -- of the pull request
    key                 VARCHAR NOT NULL,
    position            BIGINT NOT NULL             -- among the keys of the body, from 1
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
