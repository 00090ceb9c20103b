"""The command ``prpipeline``: the group, errors as sentences and exit codes, standard streams.

Modules are imported when a command needs them, so that help and status answer at once.
"""

from __future__ import annotations

import errno
import io
import os
import signal
import sys
from typing import Any

import click

from prpipeline import __version__
from prpipeline.cli import alerts, export, jira, look, mcp, operate, pull, sync, track, warehouse, webhooks
from prpipeline.cli.common import BadInput, Interrupted


class _Cli(click.Group):
    """Turns exceptions into sentences and exit codes, and shows whole sentences in the list of commands."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        shown = [
            (name, self.commands[name].get_short_help_str(limit=200)) for name in self.list_commands(ctx)
        ]
        with formatter.section("Commands"):
            formatter.write_dl(shown)

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except KeyboardInterrupt:
            raise Interrupted(
                "Interrupted. What was read is kept, and the next sync goes on from there."
            ) from None
        except OSError as error:
            if error.errno == errno.EPIPE:
                raise  # who reads, such as head, has enough: click ends without a word
            if error.filename is not None or error.errno != errno.ENOSPC:
                raise _shown(error) from None
            # Python writes once more what is buffered when it ends.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise click.ClickException(
                "The output cannot be written: no space is left where it goes. What was synced is kept."
            ) from None
        except Exception as error:  # noqa: BLE001 - an unknown one is shown with its stack
            raise _shown(error) from None


def _shown(error: Exception) -> click.ClickException:
    """The exception that click shows: known failures as their sentence, others with their stack."""
    from prpipeline.app.basics import (
        ApiFailure,
        BadCredentials,
        ConfigurationError,
        InboxError,
        InvalidRepositoryName,
    )

    if isinstance(error, InboxError):
        return click.ClickException(str(error))
    from prpipeline.app.tracking import OtherHost, WarehouseError

    if isinstance(error, (ConfigurationError, InvalidRepositoryName, BadCredentials, OtherHost)):
        return BadInput(str(error))
    if isinstance(error, (WarehouseError, ApiFailure)):
        return click.ClickException(str(error))
    import traceback

    return click.ClickException(
        f"Unexpected, please report it.\n{''.join(traceback.format_exception(error)).rstrip()}"
    )


@click.group(
    cls=_Cli,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 all well; 1 some repositories failed, the others are done; 2 bad input or configuration; 130 interrupted.",
)
@click.version_option(__version__, prog_name="prpipeline")
def cli() -> None:
    """How long do pull requests wait for review? GitHub's answer in one DuckDB file.

    \b
    Examples:
      prpipeline sync octo-org/widgets            one repository, from GitHub to the published file
      prpipeline sync                             all tracked repositories: what changed since last time
      prpipeline status                           how far each repository has come
    """


for module in (track, sync, look, export, pull, mcp, jira, alerts, webhooks, operate, warehouse):
    for command in module.COMMANDS:
        cli.add_command(command)


@cli.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the script that completes commands and options in your shell.

    \b
    Example:
      prpipeline completion bash >> ~/.bashrc
    """
    from click.shell_completion import get_completion_class

    found = get_completion_class(shell)
    assert found is not None
    click.echo(found(cli, {}, "prpipeline", "_PRPIPELINE_COMPLETE").source())


def _open_streams() -> None:
    """Make standard streams that take every text, with escapes for letters that their encoding does not have.

    Closed ones are replaced: the next file to be opened would get what is printed there.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            os.dup2(os.open(os.devnull, os.O_RDWR), number)
            setattr(sys, name, os.fdopen(number, "r" if number == 0 else "w"))
        if isinstance(stream := getattr(sys, name), io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def main() -> None:
    """The console script."""
    _open_streams()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends a sync like Ctrl-C
    cli.main(prog_name="prpipeline")
