-- metric_definitions: the versions of the metrics' definitions that this warehouse has seen, one row each.
--
-- fingerprint is of all SQL that can change a number. Definitions other than the newest get the next version, also
-- those that come back. Up to version 3 the number was raised by hand, so the first one here is 4.
CREATE TABLE IF NOT EXISTS meta.metric_definitions (
    metric_version BIGINT,
    fingerprint    VARCHAR,
    since          TIMESTAMP
);

-- The newest.
CREATE OR REPLACE VIEW metrics.definitions AS
SELECT metric_version, fingerprint FROM meta.metric_definitions ORDER BY metric_version DESC LIMIT 1;

INSERT INTO meta.metric_definitions BY NAME
SELECT coalesce(max(metric_version), 3) + 1 AS metric_version, $fingerprint AS fingerprint, $now AS since
FROM meta.metric_definitions
HAVING arg_max(fingerprint, metric_version) IS DISTINCT FROM $fingerprint;
