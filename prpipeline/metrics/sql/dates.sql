-- dates: one row per day, from the first to the last of the data, to join and to group by.
--
-- Begins early enough for the week and the month of the first day, and ends with the day of now. is_working_day: whether
-- it is one of the calendar's days of the week and none of its holidays.

CREATE TABLE IF NOT EXISTS metrics.dates (
    day            DATE,
    week           DATE,
    iso_week       VARCHAR,
    month          DATE,
    quarter        DATE,
    year           BIGINT,
    weekday        BIGINT,
    weekday_name   VARCHAR,
    is_working_day BOOLEAN
);

DELETE FROM metrics.dates;

INSERT INTO metrics.dates BY NAME
WITH moments AS (
    SELECT min(created_at) AS first_at, max(greatest(created_at, closed_at)) AS last_at FROM raw.pull_requests
    UNION ALL
    SELECT min(submitted_at), max(submitted_at) FROM raw.reviews
    UNION ALL
    SELECT min(created_at), max(created_at) FROM raw.review_events
),
bounds AS (
    SELECT min(first_at) AS first_at, greatest(max(last_at), $as_of) AS last_at FROM moments
),
days AS (
    SELECT CAST(unnest(range(
        least(date_trunc('week', first_at), date_trunc('month', first_at))::TIMESTAMP,
        date_trunc('day', last_at) + INTERVAL 1 DAY,
        INTERVAL 1 DAY
    )) AS DATE) AS day
    FROM bounds
)
SELECT
    day,
    CAST(date_trunc('week', day) AS DATE) AS week,
    strftime(day, '%G-W%V') AS iso_week,
    CAST(date_trunc('month', day) AS DATE) AS month,
    CAST(date_trunc('quarter', day) AS DATE) AS quarter,
    year(day) AS year,
    isodow(day) AS weekday,
    dayname(day) AS weekday_name,
    list_contains($working_weekdays, isodow(day)) AND NOT list_contains($holidays, day) AS is_working_day
FROM days
ORDER BY day;
