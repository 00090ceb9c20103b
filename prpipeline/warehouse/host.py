"""Which server a service's data come from. One warehouse holds one server of each: the numbers of two collide.

Works inside the caller's transaction.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from prpipeline.model.sql import Connection
from prpipeline.warehouse.errors import WarehouseError

DEMO = "demo"
"""The address of the demo's stand-in for GitHub, whose port is another each time."""

_DEFAULT_PORTS = {"http": 80, "https": 443}

# Whether there are rows of a service: then they are of the server on record.
_HAS_ROWS = {
    "github": "SELECT 1 FROM meta.repositories WHERE repository_id IS NOT NULL LIMIT 1",
    "jira": "SELECT 1 FROM raw.jira_issues LIMIT 1",
}
_VARIABLES = {"github": "GITHUB_API_URL", "jira": "JIRA_URL"}


class OtherHost(WarehouseError):
    """The warehouse holds data of another server than the one that is to be asked."""


def normalised(url: str) -> str:
    """The address of an API, in one spelling: no trailing slash, no default port, no user, lower-case host."""
    parts = urlsplit(url)
    port = "" if parts.port in (None, _DEFAULT_PORTS.get(parts.scheme)) else f":{parts.port}"
    return f"{parts.scheme}://{parts.hostname or ''}{port}{parts.path.rstrip('/')}"


def check(connection: Connection, service: str, address: str) -> None:
    """Raise OtherHost if there are rows of another server of the service. Those of the demo give way."""
    known = find(connection, service)
    if known in (None, address, DEMO) or not connection.execute(_HAS_ROWS[service]).fetchone():
        return
    if address == DEMO:
        raise OtherHost(
            f"The data folder holds data of {known}, with which the demo's sample data cannot be mixed; set "
            "PRPIPELINE_DATA_DIR to another folder for the demo."
        )
    raise OtherHost(
        f"The data folder holds data of {known}, but {_VARIABLES[service]} leads to {address}, and the numbers of two "
        f"servers collide; set PRPIPELINE_DATA_DIR to another folder, or set {_VARIABLES[service]} back."
    )


def claim(connection: Connection, service: str, address: str) -> None:
    """Remember that the service's data come from this server. Raises OtherHost; then nothing is written."""
    check(connection, service, address)
    if find(connection, service) != address:
        # The demo's address stays as long as its rows, which go when a real repository is read.
        connection.execute("DELETE FROM meta.source_host WHERE service = ? AND address <> ?", [service, DEMO])
        connection.execute("INSERT INTO meta.source_host VALUES (?, ?)", [service, address])


def find(connection: Connection, service: str) -> str | None:
    """The address of the rows that are there, if one is on record."""
    rows = connection.execute("SELECT address FROM meta.source_host WHERE service = ?", [service]).fetchall()
    addresses = [row[0] for row in rows]
    return DEMO if DEMO in addresses else next(iter(addresses), None)


def forget(connection: Connection, address: str) -> None:
    """Remove this server's address."""
    connection.execute("DELETE FROM meta.source_host WHERE address = ?", [address])
