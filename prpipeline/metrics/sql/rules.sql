-- rules: the one row of what all definitions depend on: the time that is now, and whom the settings leave out.
CREATE TABLE IF NOT EXISTS metrics.rules (
    as_of        TIMESTAMP,
    exclude_self BOOLEAN,
    exclude_bots BOOLEAN,
    bots         VARCHAR[]
);

DELETE FROM metrics.rules;

INSERT INTO metrics.rules BY NAME
SELECT $as_of AS as_of, $exclude_self AS exclude_self, $exclude_bots AS exclude_bots, $bots AS bots;
