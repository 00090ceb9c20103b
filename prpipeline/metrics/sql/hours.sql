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
