-- metric_states: by which definitions and settings each repository's metrics were computed.
DELETE FROM meta.metric_states WHERE repository_id IN (SELECT unnest($repositories));

INSERT INTO meta.metric_states BY NAME
SELECT
    unnest($repositories) AS repository_id,
    $metric_version AS metric_version,
    $settings_fingerprint AS settings_fingerprint,
    $as_of AS computed_at;
