"""The commands ``webhooks serve``, ``drain``, ``status`` and ``install``."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from prpipeline.cli.alerts import telling
from prpipeline.cli.common import (
    EXIT_FAILED,
    BadInput,
    echo_json,
    open_pipeline,
    published_path,
)

if TYPE_CHECKING:
    from prpipeline.app.deliveries import Drained
    from prpipeline.app.pipeline import Pipeline
    from prpipeline.app.receiving import Summary


@click.group()
def webhooks() -> None:
    """Minutes instead of a day: GitHub says what changed, and it is read at once. See docs/webhooks.md."""


@webhooks.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen at.")
@click.option("--port", type=click.IntRange(0, 65_535), default=8787, show_default=True, help="Its port.")
@click.option(
    "--drain", is_flag=True, help="Also read and publish what deliveries tell, where Dagster does not run."
)
def serve(host: str, port: int, drain: bool) -> None:
    """Receive deliveries at /github, signed with a secret of PRPIPELINE_WEBHOOK_SECRETS; /health says how it is.

    TLS is the business of a reverse proxy in front of it.
    """
    import logging  # which --help need not wait for

    from prpipeline.app.basics import load_settings
    from prpipeline.app.receiving import NotListening
    from prpipeline.app.receiving import serve as receive

    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    log = logging.getLogger("prpipeline")
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    try:
        receive(
            load_settings(),
            host=host,
            port=port,
            drain=drain,
            listening=lambda address: click.echo(f"Listening at {address}"),
        )
    except NotListening as error:
        raise BadInput(str(error)) from None
    finally:
        log.removeHandler(handler)


@webhooks.command()
@click.option("--wait", is_flag=True, help="Stay until nothing is left, or for 3 minutes.")
@click.option(
    "--json", "as_json", is_flag=True, help="Print JSON for scripts, and nothing else, on standard output."
)
def drain(wait: bool, as_json: bool) -> None:
    """Read what deliveries told of, compute its metrics, and publish.

    A pull request is read when no delivery about it came for 5 seconds, or after 60.
    """
    from prpipeline.app.deliveries import drain as drain_inbox
    from prpipeline.cli.progress import SyncProgress

    pipeline = open_pipeline()
    with telling(pipeline), SyncProgress():
        drained = drain_inbox(pipeline, wait=wait)
    if as_json:
        echo_json(_drained_as_json(drained, pipeline))
    else:
        click.echo(_drained_in_words(drained, published_path(pipeline.settings)))
    _print_failures(drained)
    if not drained.is_well:
        sys.exit(EXIT_FAILED)


@webhooks.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON for scripts.")
def status(as_json: bool) -> None:
    """Show what came, what waits and since when, and which hooks deliver."""
    from prpipeline.app.basics import load_settings
    from prpipeline.app.receiving import summary

    found = summary(load_settings())
    now = datetime.now(UTC).replace(tzinfo=None)
    if as_json:
        echo_json(_status_as_json(found, now))
        return
    for line in _status_lines(found, now):
        click.echo(line)


@webhooks.command()
@click.argument("target", metavar="OWNER[/NAME]")
@click.option("--url", required=True, help="Where GitHub is to deliver: the public address of /github.")
def install(target: str, url: str) -> None:
    """Create a webhook of an organisation or repository, or mend the one that delivers there.

    Signed with the first secret of PRPIPELINE_WEBHOOK_SECRETS. The token needs to administer the repository, or to own
    the organisation (classic: admin:repo_hook or admin:org_hook).

    \b
    Example:
      prpipeline webhooks install octo-org --url https://reviews.example.com/github
    """
    from prpipeline.app.basics import load_settings
    from prpipeline.app.hooks import InvalidTarget
    from prpipeline.app.hooks import install as install_hook

    try:
        done = install_hook(load_settings(), target, url)
    except InvalidTarget as error:
        raise BadInput(str(error)) from None
    for note in done.notes:
        click.echo(note, err=True)
    click.echo(done.sentence)


COMMANDS = (webhooks,)


def _drained_as_json(drained: Drained, pipeline: Pipeline) -> dict[str, Any]:
    from prpipeline.cli.sync import results_as_json

    content = results_as_json(list(drained.results.values()), pipeline)
    return {
        "done": drained.done,
        "left": drained.left,
        "parked": drained.parked,
        "repositories": content["repositories"],
        "requests": content["requests"],
        "points": content["points"],
        "published": content["published"],
    }


def _drained_in_words(drained: Drained, published: str | None) -> str:
    results = drained.results.values()
    requests = sum(result.requests for result in results)
    read = sum(result.pull_requests for result in results)
    return (
        f"{drained.done:,} deliveries done, {drained.left:,} left, {drained.parked:,} parked; {read:,} pull requests read "
        f"in {requests:,} requests.{f' Published: {published}' if published and read else ''}"
    )


def _print_failures(drained: Drained) -> None:
    from prpipeline.app.basics import by_reason, listed

    said = [(r.tracked_as, r.error or "") for r in drained.results.values() if r.failed]
    for reason, names in by_reason(said).items():
        click.echo(" ".join(f"{listed(names)}: {reason}".split()), err=True)
    if drained.due and not said:
        click.echo(f"{drained.due:,} deliveries are due and could not be read; run it again later.", err=True)
    if drained.blocked:
        click.echo(drained.blocked, err=True)


def _status_as_json(found: Summary, now: datetime) -> dict[str, Any]:
    return {
        "received": found.received,
        "refused": found.refused,
        "depth": found.depth,
        "parked": found.parked,
        "oldest_seconds": found.oldest_seconds(now),
        "last_delivery_at": _whole(found.last_delivery_at),
        "hooks": [
            {"hook_id": hook.hook_id, "last_delivery_at": _whole(hook.last_delivery_at)}
            for hook in found.hooks
        ],
    }


def _whole(moment: datetime | None) -> datetime | None:
    return moment and moment.replace(microsecond=0)


def _status_lines(found: Summary, now: datetime) -> list[str]:
    if found.last_delivery_at is None:
        return [
            "No delivery has come yet. To receive some: prpipeline webhooks serve, see docs/webhooks.md.",
            *(
                [f"{found.refused:,} were refused: is the secret the same on both sides?"]
                if found.refused
                else []
            ),
        ]
    age = found.oldest_seconds(now)
    lines = [
        f"{found.received:,} deliveries received, the last at {found.last_delivery_at:%Y-%m-%d %H:%M:%S} UTC; "
        f"{found.refused:,} refused.",
        f"{found.depth:,} wait{'' if age is None else f', the oldest for {age:,.0f} s'}; {found.parked:,} parked; "
        f"{found.untracked:,} of repositories that are not tracked.",
    ]
    for hook in found.hooks:
        lines.append(f"Hook {hook.hook_id}: last delivery at {hook.last_delivery_at:%Y-%m-%d %H:%M:%S} UTC.")
        if hook.deleted_at:
            lines.append(f"  It was deleted at GitHub at {hook.deleted_at:%Y-%m-%d %H:%M} UTC.")
        elif hook.problem:
            lines.append(f"  It is set up wrong: {hook.problem}. Mend it: prpipeline webhooks install")
    return lines
