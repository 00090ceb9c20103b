"""The assistant's answers as tools of the Model Context Protocol; the one place that knows its SDK."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from prpipeline.app.assistant import UNTRUSTED, Assistant
from prpipeline.app.basics import InvalidRepositoryName
from prpipeline.app.explain import ExplainError
from prpipeline.app.published import QueryError
from prpipeline.model.version import __version__
from prpipeline.warehouse.errors import WarehouseError

_INSTRUCTIONS = (
    "How long pull requests on GitHub wait for review, read-only, from prpipeline's published DuckDB file. "
    "Begin with 'tables', then its columns with 'tables' and a table's name, then 'query'. All times are UTC, hours are "
    f"decimal, NULL is unknown. Never average medians: aggregate review_time_hours. {UNTRUSTED}"
)


def serve(assistant: Assistant) -> None:
    """Serve on standard input and output until the client closes them. Raises ImportError without the SDK."""
    from mcp.server.mcpserver import MCPServer
    from mcp.server.mcpserver.exceptions import ToolError
    from mcp.types import ToolAnnotations

    server = MCPServer("prpipeline", instructions=_INSTRUCTIONS, version=__version__, log_level="WARNING")
    reading = ToolAnnotations(read_only_hint=True, destructive_hint=False, open_world_hint=False)

    def answered(ask: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        try:
            return ask()
        except (QueryError, ExplainError, InvalidRepositoryName, WarehouseError) as error:
            raise ToolError(str(error)) from None

    @server.tool(annotations=reading)
    def tables(table: str | None = None) -> dict[str, Any]:
        """List the tables with their meaning; with a table's name, its columns with types and meanings."""
        return answered(lambda: assistant.tables(table))

    @server.tool(annotations=reading)
    def query(sql: str) -> dict[str, Any]:
        """Run one reading statement in DuckDB's SQL. Rows, size and time are limited: aggregate in SQL."""
        return answered(lambda: assistant.query(sql))

    @server.tool(annotations=reading)
    def explain(pull_request: str) -> dict[str, Any]:
        """Tell the story of one pull request (owner/name#123, or its address), or of an issue of Jira (ABC-123), and where each number comes from."""
        return answered(lambda: assistant.explain(pull_request))

    @server.tool(annotations=reading)
    def what_waits(
        repository: str | None = None, team: str | None = None, person: str | None = None
    ) -> dict[str, Any]:
        """List what waits for its first review, longest first: of a repository, its team, or a person (author or asked)."""
        return answered(lambda: assistant.what_waits(repository, team, person))

    @server.tool(annotations=reading)
    def pipeline_status() -> dict[str, Any]:
        """Say how fresh and how complete the data is."""
        return answered(assistant.status)

    server.run("stdio")
