"""A host that uploads releases to a bucket, and a reader who fetches them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import duckdb

from prpipeline.publish.pull import open_remote, pull
from prpipeline.publish.release_folder import FILE_NAME, LINK_NAME, show
from prpipeline.publish.upload import Uploads
from prpipeline.settings import BucketPlace, pull_from
from prpipeline_tests.support.s3 import Answer, refusal

PLACE = BucketPlace(bucket="bi-files", prefix="team/")
FIRST, SECOND, THIRD = (f"20261129T0{hour}0000-0000" for hour in (1, 2, 3))


class Host:
    """A data folder with releases that hold their own name."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.uploads = Uploads(folder, PLACE)

    def publish(self, name: str) -> None:
        release = self.folder / "releases" / name
        release.mkdir(parents=True)
        with duckdb.connect(str(release / FILE_NAME)) as connection:
            connection.execute(f"CREATE TABLE told AS SELECT '{name}' AS release")
        (release / "report.html").write_text(f"<p>{name}</p>")
        (release / ".contents.duckdb").write_text("what the next release is compared with")
        show(self.folder / LINK_NAME, release)


def pulled(reader: Path, url: str = "s3://bi-files/team") -> str:
    """The release that is shown after a pull, by its own words."""
    result = pull(open_remote(pull_from(url, {})), reader)
    shown = told(reader)
    assert shown == result.release
    return shown


def told(reader: Path) -> str:
    with duckdb.connect(str(reader / LINK_NAME / FILE_NAME), read_only=True) as connection:
        ((name,),) = connection.execute("FROM told").fetchall()
    return str(name)


def failing(status: str, code: str, *, at: str) -> Callable[[str, str], Answer | None]:
    """Refuses requests for keys that end so, or have this method."""
    return lambda method, key: refusal(status, code) if at in {method, key[-len(at) :]} else None
