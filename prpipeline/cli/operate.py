"""The commands ``dev`` and ``doctor``."""

from __future__ import annotations

import sys
from contextlib import ExitStack

import click

from prpipeline.cli.common import EXIT_FAILED


@click.command()
@click.option(
    "--port", type=click.IntRange(1, 65_535), default=3000, show_default=True, help="The UI's port."
)
def dev(port: int) -> None:
    """Open Dagster's UI with everything loaded, its schedules and sensors running, on this machine only.

    Without a token and anything to sync, it shows the sample repositories of 'prpipeline demo'.
    """
    from prpipeline.app import dagster_server
    from prpipeline.app import demo as sample
    from prpipeline.app.basics import SAMPLE_DATA, load_settings
    from prpipeline.app.tracking import TrackingService

    settings = load_settings()
    with ExitStack() as stack:
        if sample.is_wanted(settings, len(TrackingService(settings).tracked())):
            click.echo(f"No GITHUB_TOKEN is set. {SAMPLE_DATA} See README.md for real ones.")
            settings, names = stack.enter_context(sample.running(settings, anew=False))
            TrackingService(settings).track(names, tracked_by="cli", keep_options=True)
        sys.exit(dagster_server.run(port, settings))


@click.command()
def doctor() -> None:
    """Look at the token, its permissions and limits, folders, versions and schedules: what is wrong, what to do."""
    from prpipeline.app.basics import load_settings
    from prpipeline.app.doctor import examine

    marks = {"ok": click.style("ok     ", fg="green"), "note": click.style("note   ", fg="yellow")}
    problems = 0
    for finding in examine(load_settings()):
        problems += finding.level == "problem"
        mark = marks.get(finding.level, click.style("problem", fg="red"))
        click.echo(f"{mark}  {finding.what}: {finding.says}")
    sys.exit(EXIT_FAILED if problems else 0)


COMMANDS = (dev, doctor)
