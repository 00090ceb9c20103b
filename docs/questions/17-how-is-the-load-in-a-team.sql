-- How is the load of reviewing spread in each team, over the last twelve weeks? By those who are in the team now, also who reviewed
-- nothing; somebody in two teams is in both. verdicts approve or request changes.
SELECT member.team, member.login, coalesce(sum(reviews), 0) AS reviews, coalesce(sum(verdicts), 0) AS verdicts,
    coalesce(sum(requests_unanswered), 0) AS requests_unanswered
FROM team_members AS member
LEFT JOIN reviewer_weekly AS weeks
    ON weeks.reviewer_id = member.person_id AND week > (SELECT as_of FROM pipeline_status) - INTERVAL 12 WEEK
WHERE is_current
GROUP BY ALL
ORDER BY member.team, reviews DESC, member.login;
