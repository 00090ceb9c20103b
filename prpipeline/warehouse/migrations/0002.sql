-- What conditional requests remember between two runs: quiet repositories are then probed for nothing by REST.
CREATE TABLE meta.etags (
    key     VARCHAR NOT NULL,
    etag    VARCHAR NOT NULL,
    value   VARCHAR NOT NULL
);
