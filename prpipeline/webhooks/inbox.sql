-- The inbox of webhooks: ids and times, never what a delivery says. Times are naive UTC with microseconds, as text.

CREATE TABLE deliveries (
    delivery        TEXT PRIMARY KEY NOT NULL,      -- GitHub's GUID, the same for a redelivery
    seq             INTEGER NOT NULL UNIQUE,        -- rises with each; never used again
    hook_id         INTEGER,
    event           TEXT NOT NULL,
    action          TEXT,
    repository_id   INTEGER,
    pull_request_id INTEGER,                        -- NULL: it is about a repository, or the roster
    number          INTEGER,
    node_id         TEXT,                           -- maybe in a form of years ago: never stored as data
    updated_at      TEXT,                           -- the pull request's, as told
    repositories    TEXT,                           -- JSON: ids, where a roster's change names some
    received_at     TEXT NOT NULL,
    state           TEXT NOT NULL,                  -- new, done, parked
    attempts        INTEGER NOT NULL,               -- how often GitHub did not show it yet
    next_attempt_at TEXT,
    done_at         TEXT,                           -- when it was done or parked
    published_at    TEXT,                           -- of the release that shows it first; NULL: none yet
    note            TEXT                            -- why it waits, or how it ended
);
CREATE INDEX deliveries_by_state ON deliveries (state, done_at);

-- What was counted: received, refused, untracked; and seq, the last number given.
CREATE TABLE counters (name TEXT PRIMARY KEY NOT NULL, value INTEGER NOT NULL);
INSERT INTO counters VALUES ('received', 0), ('refused', 0), ('untracked', 0), ('seq', 0);

-- One row, which health looks write to: whether a delivery could be stored.
CREATE TABLE health (looked_at TEXT);
INSERT INTO health VALUES (NULL);

CREATE TABLE hooks (
    hook_id          INTEGER PRIMARY KEY NOT NULL,
    last_delivery_at TEXT NOT NULL,
    problem          TEXT NOT NULL,                 -- by its last ping; empty: none
    deleted_at       TEXT                           -- GitHub said that it was deleted
);

-- When each repository was last told of.
CREATE TABLE repositories (
    repository_id    INTEGER PRIMARY KEY NOT NULL,
    last_delivery_at TEXT NOT NULL
);
