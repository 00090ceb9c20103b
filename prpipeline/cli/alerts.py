"""The commands ``alerts`` and ``digest``, and the telling after a sync."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from prpipeline.cli.common import EXIT_FAILED, BadInput, open_pipeline

if TYPE_CHECKING:
    from prpipeline.app.alerting import Alerting, Delivery
    from prpipeline.app.pipeline import Pipeline


@click.command()
@click.option("--dry-run", is_flag=True, help="Print what would be sent; send and note nothing.")
def alerts(dry_run: bool) -> None:
    """Tell the targets in the repositories file what is wrong, once, and when it is well again.

    'prpipeline sync' and Dagster do this by themselves; this is for cron where freshness is to be watched, too.
    """
    from prpipeline.app.alerting import Alerting

    alerting = Alerting(open_pipeline())
    if dry_run:
        _print(
            (f"To {target}: {message.title}", message.body) for target, message in alerting.preview().items()
        )
        return
    _require_targets(alerting)
    alerting.prepare()
    _end(alerting.deliver())


@click.command()
@click.option("--team", help="Only the digest of this team.")
@click.option("--dry-run", is_flag=True, help="Print it; send and note nothing.")
@click.option("--again", is_flag=True, help="Send it even if this day's or week's was sent.")
def digest(team: str | None, dry_run: bool, again: bool) -> None:
    """Send what waits longer than the target, and what changed against last week; once a day or week.

    \b
    Examples:
      prpipeline digest --dry-run
      prpipeline digest --team platform
    """
    from prpipeline.app.alerting import Alerting, UnknownTeam

    alerting = Alerting(open_pipeline())
    try:
        if dry_run:
            _print((message.title, message.body) for message in alerting.preview_digests(team=team))
            return
        _require_targets(alerting)
        alerting.prepare_digests(team=team, again=again)
    except UnknownTeam as error:
        raise BadInput(str(error)) from None
    done = alerting.deliver()
    if not done.sent and not done.refused:
        click.echo(alerting.why_no_digest(team))
        return
    _end(done)


@contextmanager
def telling(pipeline: Pipeline) -> Iterator[None]:
    """After the block, however it ends, send alerts, if any are configured. What cannot be sent is said, and harms nothing."""
    try:
        yield
    except Exception:
        _tell(pipeline)
        raise
    _tell(pipeline)


def _tell(pipeline: Pipeline) -> None:
    if not pipeline.settings.alerts.targets:
        return  # spares the imports
    from prpipeline.app.alerting import Alerting
    from prpipeline.app.tracking import WarehouseError

    alerting = Alerting(pipeline)
    try:
        alerting.prepare()
        done = alerting.deliver()
    except WarehouseError as error:
        done = alerting.tell_unrecorded(error)
    for sentence in done.refused:
        click.echo(sentence, err=True)


def _require_targets(alerting: Alerting) -> None:
    if not alerting.is_on:
        raise BadInput(
            "No target is named under alerts in the repositories file, so nothing is sent; docs/alerts.md shows how. "
            "--dry-run prints what would be."
        )


def _print(messages: Iterable[tuple[str, str]]) -> None:
    """Titles with their bodies."""
    shown = [f"{title}\n\n{body}" for title, body in messages]
    click.echo("\n\n".join(shown) or "Nothing is to be sent.")


def _end(done: Delivery) -> None:
    click.echo(done.sentence())
    for sentence in done.refused:
        click.echo(sentence, err=True)
    if done.refused:
        sys.exit(EXIT_FAILED)


COMMANDS = (alerts, digest)
