-- The teams of organisations, as far as GitHub shows them to the credential; only with the setting teams_from_github.
CREATE TABLE raw.teams (
    team_id         BIGINT NOT NULL,
    organization    VARCHAR NOT NULL,               -- its login
    organization_id BIGINT NOT NULL,
    slug            VARCHAR NOT NULL,
    name            VARCHAR NOT NULL,
    depth           BIGINT NOT NULL,                -- how many teams are above it
    known_from      DATE NOT NULL,                  -- when it was read first: from this day on its members are known
    is_gone         BOOLEAN NOT NULL                -- GitHub no longer shows it
);

-- Who is in them, from one day to before another. Nobody knows since when those are who were there at the first reading
-- of the organisation. Logins are in raw.actor_logins.
CREATE TABLE raw.team_members (
    team_id         BIGINT NOT NULL,
    actor_id        BIGINT NOT NULL,
    joined_on       DATE,                           -- NULL: before the first reading
    left_on         DATE                            -- the first day without them; NULL: they are in it
);

-- When the teams of an organisation were read, by the name that was asked for.
CREATE TABLE meta.team_readings (
    organization    VARCHAR NOT NULL,
    organization_id BIGINT,                         -- NULL: of a user, who has no teams, or never read
    tried_at        TIMESTAMP NOT NULL,             -- and answered, if only with a refusal
    first_read_at   TIMESTAMP,
    changed_at      TIMESTAMP,                      -- when a reading last found anything else than the one before
    problem         VARCHAR                         -- why the last one gave nothing; NULL: it did
);
