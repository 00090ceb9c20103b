-- Which login an account had when: the number identifies it, logins are labels that change. Rows of raw have the newest
-- one, which is the one that was read last. A deleted account is not here anew: GitHub no longer says who it was.
CREATE TABLE raw.actor_logins (
    actor_id        BIGINT NOT NULL,
    login           VARCHAR NOT NULL,
    is_bot          BOOLEAN NOT NULL,
    first_read_at   TIMESTAMP NOT NULL,
    last_read_at    TIMESTAMP NOT NULL
);
