-- Seconds as hours, rounded to 2 decimals exactly as Python's round(seconds / 3600, 2) does: only odd multiples of
-- 18 seconds lie on the edge between two hundredths of an hour; all others are nearest to a whole number of them.
CREATE OR REPLACE MACRO metrics.hours(seconds) AS
    CASE
        WHEN seconds % 36 IN (18, -18) THEN CAST(format('{:.2f}', seconds / 3600.0::DOUBLE) AS DOUBLE)
        ELSE round(seconds / 36.0::DOUBLE) / 100.0::DOUBLE
    END;

-- Hours from one moment to another; NULL where either is not known.
CREATE OR REPLACE MACRO metrics.hours_between(earlier, later) AS
    metrics.hours(date_diff('second', earlier, later));

-- An aggregate's seconds as hours, rounded half up to 2 decimals. The allowance is for interpolated seconds on the edge.
CREATE OR REPLACE MACRO metrics.rounded_hours(seconds) AS
    floor(seconds / 36.0::DOUBLE + 0.5 + 1e-6) / 100.0::DOUBLE;

-- Median, 75th and 90th percentile of a list without NULLs, interpolated. For groups that mostly hold one or two,
-- where the aggregate quantile_cont takes twice as long. NULL where the list is empty.
CREATE OR REPLACE MACRO metrics.percentiles(times) AS
    CASE
        WHEN len(times) = 1 THEN [times[1], times[1], times[1]]::DOUBLE[]
        WHEN len(times) > 1 THEN list_aggregate(times, 'quantile_cont', [0.5, 0.75, 0.9])
    END;
