-- Milliseconds as hours, rounded to 2 decimals exactly as Python's round(milliseconds / 3600000, 2) does: see hours.sql.
CREATE OR REPLACE MACRO metrics.hours_of_milliseconds(milliseconds) AS
    CASE
        WHEN milliseconds % 36000 IN (18000, -18000) THEN CAST(format('{:.2f}', milliseconds / 3600000.0::DOUBLE) AS DOUBLE)
        ELSE round(milliseconds / 36000.0::DOUBLE) / 100.0::DOUBLE
    END;

-- Milliseconds from one moment to another; NULL where either is not known.
CREATE OR REPLACE MACRO metrics.milliseconds_between(earlier, later) AS epoch_ms(later) - epoch_ms(earlier);
