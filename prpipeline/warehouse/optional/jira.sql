-- Issues of Jira with their changes; made when the first project is synced. Columns of issues and changes are filled from
-- the records of prpipeline.model.jira by name. One warehouse holds one Jira, see meta.source_host.

-- One row per project that is or was selected; project_id is the identity. entry is what the repositories file says, a key
-- or a number. A project that was never found has no number yet.
CREATE TABLE IF NOT EXISTS meta.jira_projects (
    entry           VARCHAR NOT NULL,
    project_id      BIGINT,
    project_key     VARCHAR,                        -- the current one
    former_keys     VARCHAR[],
    name            VARCHAR,
    is_tracked      BOOLEAN NOT NULL,
    status          VARCHAR NOT NULL,               -- new, ok, failed, gone, forbidden
    last_attempt_at TIMESTAMP,
    last_sync_at    TIMESTAMP,                      -- the last success
    watermark_at    TIMESTAMP,                      -- everything updated before this is in raw, by Jira's clock
    history_started_at TIMESTAMP,
    history_cursor  VARCHAR,                        -- where a killed history goes on
    history_done_at TIMESTAMP,
    reconciled_at   TIMESTAMP,
    last_error      VARCHAR,
    last_failure    VARCHAR,
    changed_at      TIMESTAMP                       -- when rows of it last changed; before its first sync, since when it is selected
);

CREATE TABLE IF NOT EXISTS raw.jira_issues (
    issue_id                    BIGINT NOT NULL,
    issue_key                   VARCHAR NOT NULL,
    project_id                  BIGINT NOT NULL,    -- where it is now, selected or not
    project_key                 VARCHAR NOT NULL,
    summary                     VARCHAR NOT NULL,
    issue_type_id               VARCHAR,
    issue_type                  VARCHAR,
    hierarchy_level             BIGINT,
    status_id                   VARCHAR NOT NULL,
    status                      VARCHAR NOT NULL,
    status_category             VARCHAR,            -- as the issue says; raw.jira_statuses knows better
    priority_id                 VARCHAR,
    priority                    VARCHAR,
    resolution                  VARCHAR,
    assignee_id                 VARCHAR,
    reporter_id                 VARCHAR,
    creator_id                  VARCHAR,
    parent_id                   BIGINT,
    parent_key                  VARCHAR,
    labels                      VARCHAR[],
    components                  VARCHAR[],
    fix_versions                VARCHAR[],
    story_points                DOUBLE,
    sprint_ids                  BIGINT[],
    created_at                  TIMESTAMP NOT NULL,
    updated_at                  TIMESTAMP NOT NULL,
    resolved_at                 TIMESTAMP,
    status_category_changed_at  TIMESTAMP,
    due_on                      DATE,
    url                         VARCHAR NOT NULL,
    has_broken_changes          BOOLEAN NOT NULL,
    gone_at                     TIMESTAMP,          -- since when Jira shows it no more: deleted or hidden; NULL: it is there
    synced_at                   TIMESTAMP NOT NULL
);

CREATE TABLE IF NOT EXISTS raw.jira_changes (
    issue_id    BIGINT NOT NULL,
    change_key  VARCHAR NOT NULL,                   -- unique in the issue: change_id/item
    change_id   VARCHAR NOT NULL,
    item        BIGINT NOT NULL,
    field       VARCHAR NOT NULL,
    from_id     VARCHAR,
    from_text   VARCHAR,
    to_id       VARCHAR,
    to_text     VARCHAR,
    author_id   VARCHAR,
    created_at  TIMESTAMP NOT NULL
);

-- All statuses of the site, as they are today.
CREATE TABLE IF NOT EXISTS raw.jira_statuses (
    status_id   VARCHAR NOT NULL,
    name        VARCHAR NOT NULL,
    category    VARCHAR                             -- new, indeterminate, done; NULL: undefined
);

CREATE TABLE IF NOT EXISTS raw.jira_sprints (
    sprint_id       BIGINT NOT NULL,
    name            VARCHAR,
    state           VARCHAR,                        -- future, active, closed
    started_at      TIMESTAMP,
    ended_at        TIMESTAMP,
    completed_at    TIMESTAMP
);

CREATE TABLE IF NOT EXISTS raw.jira_users (
    account_id      VARCHAR NOT NULL,
    display_name    VARCHAR,
    email           VARCHAR,                        -- for matching only, never published
    account_type    VARCHAR,
    is_active       BOOLEAN
);

-- Every key that an issue has or had: an old key of a moved issue leads to it.
CREATE TABLE IF NOT EXISTS raw.jira_keys (
    issue_key   VARCHAR NOT NULL,
    issue_id    BIGINT NOT NULL,
    is_current  BOOLEAN NOT NULL
);

-- The people that GitHub was asked about, to match them with Jira's accounts.
CREATE TABLE IF NOT EXISTS raw.github_profiles (
    actor_id        BIGINT NOT NULL,
    name            VARCHAR,
    read_at         TIMESTAMP NOT NULL
);

-- Their e-mail addresses, each kept as the SHA-256 of its lower case: it can be compared, and not read.
CREATE TABLE IF NOT EXISTS raw.github_emails (
    actor_id        BIGINT NOT NULL,
    kind            VARCHAR NOT NULL,               -- verified, public, commit
    email_sha256    VARCHAR NOT NULL
);

-- Organisations that withheld the addresses that they verified, when they were asked last.
CREATE TABLE IF NOT EXISTS meta.github_email_refusals (
    organization    VARCHAR NOT NULL,
    login           VARCHAR NOT NULL,               -- of whom they were asked for
    reason          VARCHAR NOT NULL,
    refused_at      TIMESTAMP NOT NULL              -- since when
);

-- Which accounts are whose, as jira.people of the repositories file says. account: an id or an e-mail address in Jira; NULL:
-- the login is nobody there.
CREATE TABLE IF NOT EXISTS meta.jira_people (
    login       VARCHAR NOT NULL,                   -- in lower case
    account     VARCHAR
);

-- Who asked last: another account may see other issues.
CREATE TABLE IF NOT EXISTS meta.jira_accounts (
    account_id  VARCHAR NOT NULL,
    seen_at     TIMESTAMP NOT NULL
);

-- One row per sync of a project that changed something or failed, as in meta.syncs; rows older than 400 days are deleted.
CREATE TABLE IF NOT EXISTS meta.jira_syncs (
    sync_id     BIGINT NOT NULL,                    -- rises in the order of commits
    caller      VARCHAR NOT NULL,
    entry       VARCHAR NOT NULL,
    mode        VARCHAR NOT NULL,                   -- history, increment, reconcile, failed
    started_at  TIMESTAMP NOT NULL,
    finished_at TIMESTAMP NOT NULL,
    issues      BIGINT NOT NULL,
    removed     BIGINT NOT NULL,
    requests    DOUBLE NOT NULL,
    seconds     DOUBLE NOT NULL,
    error       VARCHAR
);
