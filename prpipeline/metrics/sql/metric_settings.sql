-- metric_settings: the one row of what all definitions depend on: the time that is now, whom the settings exclude, and
-- how many lines of change make which size.
CREATE TABLE IF NOT EXISTS metrics.metric_settings (
    as_of        TIMESTAMP,
    exclude_self BOOLEAN,
    exclude_bots BOOLEAN,
    bots         VARCHAR[],
    size_limits  BIGINT[]
);

DELETE FROM metrics.metric_settings;

INSERT INTO metrics.metric_settings BY NAME
SELECT $as_of AS as_of, $exclude_self AS exclude_self, $exclude_bots AS exclude_bots, $bots AS bots,
    $size_limits AS size_limits;
