SELECT request.*, period.team AS reviewer_team
FROM warehouse.metrics.review_requests AS request
LEFT JOIN warehouse.metrics.team_periods AS period
    ON period.person_id = request.reviewer_id
    AND period.started_at <= request.asked_at AND period.ended_at > request.asked_at
