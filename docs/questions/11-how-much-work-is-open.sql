-- How much work is open, day by day? Pull requests of people, at the end of each working day of the last four weeks.
SELECT day, sum(open) AS open, sum(waiting) AS waiting, sum(draft) AS draft, sum(opened) AS opened, sum(merged) AS merged
FROM open_daily JOIN dates USING (day) CROSS JOIN pipeline_status
WHERE is_working_day AND day > published_at - INTERVAL 28 DAY
GROUP BY day
ORDER BY day;
