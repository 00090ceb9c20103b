-- A repository's current name and team. Where it is tracked under an old and a new name, those of the last sync.
CREATE OR REPLACE VIEW metrics.repository_names AS
    SELECT
        repository_id,
        arg_max(repository, coalesce(last_sync_at, tracked_at)) AS repository,
        arg_max(team, coalesce(last_sync_at, tracked_at)) AS team
    FROM meta.repositories
    WHERE repository_id IS NOT NULL
    GROUP BY repository_id;
