-- Who reviews whom across teams, over the last twelve weeks with reviews? NULL is of no team. What each team has of the other's reviews
-- is percent_of_author_team.
SELECT
    author_team,
    reviewer_team,
    sum(reviews) AS reviews,
    sum(first_reviews) AS first_reviews,
    round(100 * sum(reviews) / sum(sum(reviews)) OVER (PARTITION BY author_team)) AS percent_of_author_team
FROM review_pairs
WHERE week > (SELECT max(week) FROM review_pairs) - INTERVAL 12 WEEK
GROUP BY author_team, reviewer_team
ORDER BY author_team, reviews DESC, reviewer_team;
