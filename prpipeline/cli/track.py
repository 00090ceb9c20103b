"""The commands ``track`` and ``untrack``."""

from __future__ import annotations

from collections.abc import Sequence

import click

from prpipeline.cli.common import BadInput, open_pipeline, parse_names


@click.command()
@click.argument("repositories", metavar="OWNER/NAME...", nargs=-1, required=True)
@click.option(
    "--days-back", type=click.IntRange(1, 36_500), help="How many days of history to read (default: all)."
)
def track(repositories: Sequence[str], days_back: int | None) -> None:
    """Track repositories: a running Dagster reads their history soon, 'prpipeline sync' does it now."""
    from prpipeline.app.basics import load_settings
    from prpipeline.app.tracking import TrackingService

    settings = load_settings()
    names = parse_names(repositories, settings)
    tracking = TrackingService(settings)
    added = tracking.track(names, tracked_by="cli", days_back=days_back)
    for name in names:
        click.echo(f"{name}: {'tracked.' if str(name) in added else 'was tracked already.'}")
    if tracking.holds_samples():
        click.echo(
            "The sample data of the demo go when the first real repository is read. If 'prpipeline dev' is running the "
            "demo, restart it: until then it reads no real repository."
        )


@click.command()
@click.argument("repositories", metavar="OWNER/NAME...", nargs=-1, required=True)
@click.option("--delete-data", is_flag=True, help="Also remove all their rows, everywhere.")
def untrack(repositories: Sequence[str], delete_data: bool) -> None:
    """Stop tracking repositories; their rows stay, unless --delete-data is given."""
    pipeline = open_pipeline()
    names = parse_names(repositories, pipeline.settings)
    tracking = pipeline.tracking.shown()
    for name in names:
        known = tracking.find(name)
        if known is None or not (known.is_tracked or delete_data):
            raise BadInput(f"{name} is not tracked; 'prpipeline status' lists what is.")
    tracking.untrack(names, delete_data=delete_data)
    for name in names:
        click.echo(f"{name}: no longer tracked{', its rows are removed' if delete_data else ''}.")
    if pipeline.settings.published_path.exists():
        if delete_data:
            pipeline.publish_deletion()
            not_uploaded = pipeline.upload(is_only=True)
        else:
            pipeline.aggregate()
            pipeline.publish(caller="command_line")
            pipeline.report()
            not_uploaded = pipeline.upload()
        if not_uploaded:
            raise click.ClickException(not_uploaded)


COMMANDS = (track, untrack)
