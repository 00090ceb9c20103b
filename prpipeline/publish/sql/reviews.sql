SELECT review.*, names.repository, period.team AS reviewer_team
FROM warehouse.raw.reviews AS review
JOIN names USING (repository_id)
LEFT JOIN warehouse.metrics.team_periods AS period
    ON period.person_id = review.reviewer_id
    AND period.started_at <= review.submitted_at AND period.ended_at > review.submitted_at
