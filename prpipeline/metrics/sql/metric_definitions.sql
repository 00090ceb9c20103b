-- metric_definitions: the versions of the metrics' definitions that this warehouse has seen, one row each.
--
-- fingerprint is of all SQL that can change a number. Definitions other than the newest get the next version, also
-- those that come back. Up to version 3 the number was raised by hand, so the first one here is 4. sources is a hash
-- of the files as they are, which tells in a tenth of the time that nothing changed.
CREATE TABLE IF NOT EXISTS meta.metric_definitions (
    metric_version BIGINT,
    fingerprint    VARCHAR,
    since          TIMESTAMP,
    sources        VARCHAR
);

-- The newest.
CREATE OR REPLACE VIEW metrics.definitions AS
SELECT metric_version, fingerprint FROM meta.metric_definitions ORDER BY metric_version DESC LIMIT 1;

ALTER TABLE meta.metric_definitions ADD COLUMN IF NOT EXISTS sources VARCHAR;

INSERT INTO meta.metric_definitions BY NAME
SELECT
    coalesce(max(metric_version), 3) + 1 AS metric_version,
    $fingerprint AS fingerprint, $now AS since, $sources AS sources
FROM meta.metric_definitions
HAVING arg_max(fingerprint, metric_version) IS DISTINCT FROM $fingerprint;
