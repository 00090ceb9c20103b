"""The command ``pull``."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from prpipeline.app.elsewhere import Puller


@click.command()
@click.argument("url", metavar="URL")
@click.argument("folder", metavar="[DIR]", required=False, type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--every",
    type=click.IntRange(min=1),
    metavar="SECONDS",
    help="Stay, and look again after so many seconds; what fails is said and tried again.",
)
def pull(url: str, folder: Path | None, every: int | None) -> None:
    """Fetch what another machine published to a bucket, and show it as DIR/published/prpipeline.duckdb.

    URL is what PRPIPELINE_PUBLISH_TO is there, or an https:// address of the same files; DIR is by default
    PRPIPELINE_DATA_DIR. A new release is verified before it is shown, and disturbs no reader of the last one.

    \b
    Examples:
      prpipeline pull s3://example-bucket/prpipeline /srv/bi
      prpipeline pull https://files.example.com/prpipeline /srv/bi --every 60
    """
    from prpipeline.app.basics import load_settings
    from prpipeline.app.elsewhere import Puller

    puller = Puller(load_settings(), url, folder)
    if every is None:
        pulled = puller.pull()
        how = "is" if pulled.is_new else "was already"
        click.echo(f"{pulled.path} {how} release {pulled.release} ({pulled.size / 1e6:,.1f} MB).")
        return
    try:
        _keep(puller, every)
    except KeyboardInterrupt:
        return  # SIGTERM or Ctrl-C is how it ends


def _keep(puller: Puller, every: int) -> None:
    from prpipeline.app.elsewhere import WarehouseError

    problem = None
    while True:
        try:
            pulled = puller.pull()
        except WarehouseError as error:
            if str(error) != problem:  # once, not every few seconds
                click.echo(str(error), err=True)
            problem = str(error)
        else:
            if pulled.is_new or problem:
                click.echo(f"{pulled.path} is release {pulled.release} ({pulled.size / 1e6:,.1f} MB).")
            problem = None
        time.sleep(every)


COMMANDS = (pull,)
