-- XS, S, M, L or XL: below which of the four configured limits the lines added and deleted are. NULL where not known.
CREATE OR REPLACE MACRO metrics.size_class(lines) AS (
    SELECT CASE
        WHEN lines < size_limits[1] THEN 'XS'
        WHEN lines < size_limits[2] THEN 'S'
        WHEN lines < size_limits[3] THEN 'M'
        WHEN lines < size_limits[4] THEN 'L'
        WHEN lines IS NOT NULL THEN 'XL'
    END
    FROM metrics.metric_settings
);
