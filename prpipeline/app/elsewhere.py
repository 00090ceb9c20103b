"""What is published beyond the data folder: uploaded after each publication, made good by the next run, and fetched."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING

from prpipeline.model.alerts import TroubleKind
from prpipeline.publish.bucket import Bucket
from prpipeline.publish.pull import Pulled, Remote, open_remote
from prpipeline.publish.pull import pull as pull_release
from prpipeline.publish.remote import RemoteError
from prpipeline.publish.upload import Upload, Uploads, current_of
from prpipeline.settings import ConfigurationError, Settings, pull_from
from prpipeline.warehouse import Warehouse, WarehouseError, alerts
from prpipeline.warehouse.alerts import Trouble
from prpipeline.warehouse.database import utc_now

if TYPE_CHECKING:
    from prpipeline.app.tracking import TrackingService

__all__ = ["Pulled", "Puller", "WarehouseError", "in_words", "last_upload", "look", "upload"]

log = logging.getLogger("prpipeline")

_KIND: TroubleKind = "bucket"


def upload(settings: Settings, tracking: TrackingService, *, is_only: bool = False) -> str | None:
    """Put the release that is shown here into the bucket of PRPIPELINE_PUBLISH_TO, if it is not there yet.

    A sentence where that failed: the release here stays as it is, and the next run tries again. ``is_only`` removes all
    older releases there, now or by the next run that gets through. Sample data stay here.
    """
    if settings.publish_to is None or settings.is_demo:
        return None
    uploads = Uploads(settings.data_dir, settings.publish_to)
    if is_only:
        uploads.remove_others()
    if not uploads.is_pending() or tracking.holds_samples():
        return None
    try:
        uploads.run()
    except RemoteError as error:
        says = (
            f"What is published here is not in {settings.publish_to} yet; the next run tries again. {error}"
        )
        _note(tracking.warehouse, Trouble(_KIND, "", str(error), says, utc_now()))
        return says
    _note(tracking.warehouse, None)
    log.info("The release is in %s.", settings.publish_to)
    return None


def _note(warehouse: Warehouse, trouble: Trouble | None) -> None:
    """For alerts."""
    with warehouse.transaction() as connection:
        if trouble:
            alerts.note_trouble(connection, trouble)
        else:
            alerts.clear_trouble(connection, _KIND, "")


def last_upload(settings: Settings) -> Upload | None:
    """How far publishing to the bucket has come, by this folder's record; None where there is no bucket."""
    if settings.publish_to is None:
        return None
    return Uploads(settings.data_dir, settings.publish_to).last()


def in_words(last: Upload) -> str:
    """How far publishing to the bucket has come."""
    if last.error:
        return (
            f"Not in {last.to} since then: {last.error}" if last.at else f"Not in {last.to} yet: {last.error}"
        )
    if last.at is None:
        return f"Not in {last.to} yet; the next publication is uploaded."
    return f"In {last.to}: release {last.release}, uploaded at {last.at:%Y-%m-%d %H:%M} UTC."


def look(settings: Settings) -> str:
    """What the bucket says itself, whoever published there. Raises RemoteError."""
    assert settings.publish_to is not None
    current = current_of(Bucket(settings.publish_to))
    if current is None:
        return f"{settings.publish_to} can be read; nothing is published there yet."
    last = last_upload(settings)
    when = f", uploaded from here at {last.at:%Y-%m-%d %H:%M} UTC" if last and last.at else ""
    return f"{settings.publish_to} has release {current.release} ({current.size / 1e6:,.1f} MB){when}."


class Puller:
    """Keeps in a folder what is published elsewhere. Raises ConfigurationError."""

    def __init__(self, settings: Settings, url: str, folder: Path | None) -> None:
        self._place = pull_from(url, os.environ)
        self._folder = (folder or settings.data_dir).expanduser().absolute()
        is_own = settings.warehouse.is_lake and self._folder == settings.data_dir
        if is_own or (self._folder / "warehouse.duckdb").exists():
            raise ConfigurationError(
                f"{self._folder} is the data folder of a pipeline that publishes there itself; name another folder."
            )
        self._remote: Remote | None = None

    def pull(self) -> Pulled:
        """Show the release that counts now. Raises WarehouseError; then the last one stays."""
        self._remote = self._remote or open_remote(self._place)
        return pull_release(self._remote, self._folder)
