SELECT pr.*, names.repository, period.team AS author_team
FROM warehouse.raw.pull_requests AS pr
JOIN names USING (repository_id)
LEFT JOIN warehouse.metrics.team_periods AS period
    ON period.person_id = pr.author_id AND period.started_at <= pr.created_at AND period.ended_at > pr.created_at
