"""The command ``mcp``."""

from __future__ import annotations

from contextlib import suppress

import click

from prpipeline.cli.common import BadInput


@click.command()
def mcp() -> None:
    """Let an assistant ask the published file, read-only, by the Model Context Protocol on standard input and output.

    Assistants start this themselves: docs/assistants.md says how to configure them.
    """
    from prpipeline.app.assistant import Assistant
    from prpipeline.app.assistant_server import serve
    from prpipeline.app.basics import load_settings

    assistant = Assistant(load_settings())
    try:
        with suppress(KeyboardInterrupt):  # how clients and people end it
            serve(assistant)
    except ImportError:
        raise BadInput(
            "To serve assistants, install prpipeline[mcp]: pip install 'prpipeline[mcp]'."
        ) from None


COMMANDS = (mcp,)
