"""No text of a pull request gets out of its place in the page, and no failure takes the last page away."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest

from prpipeline.report import ReportInfo, write_report
from prpipeline.report.content import read_content
from prpipeline.report.page import render
from prpipeline.report.rows import web_address
from prpipeline_tests.support import report_samples as samples
from prpipeline_tests.support.report_rows import unpack


def days(number: float) -> timedelta:
    return timedelta(days=number)


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://github.com/octo/cat/pull/1", True),
        ("http://ghe.example/octo/cat/pull/1", True),
        ("javascript:alert(1)", False),
        ("JaVaScRiPt:alert(1)", False),
        (" javascript:alert(1)", False),
        ("java\nscript:alert(1)", False),
        ("data:text/html,<script>alert(1)</script>", False),
        ("//github.com/x", False),
        ("https:alert(1)", False),
        ("https://[", False),
        ("", False),
        (None, False),
    ],
)
def test_links_lead_to_web_pages_only(url: str | None, kept: bool) -> None:
    assert (web_address(url) == url) is kept if url is not None else web_address(url) is None


def test_content_cannot_end_its_element() -> None:
    title = "</script><script>alert(1)</script><!-- \u2028\u2029 & <b>'\"`${1} $content"
    with samples.create() as connection:
        samples.add_repository(connection, 1, "octo/cat")
        samples.add_pull_request(connection, 1, opened=days(1), title=title, author_login=title)
        content = read_content(connection)
        document = render(content)
    found = re.search(r'<script type="application/json" id="content">(.*?)</script>', document, re.DOTALL)
    assert found
    assert not set("<>&\u2028\u2029") & set(found[1])
    assert json.loads(found[1])["people"] == [None, title]
    assert unpack(content)["title"] == [" ".join(title.split("\n"))]
    assert content["rows"] in document
    assert document.count("<script") == document.count("</script") == 4


def test_scripts_cannot_end_or_reopen_their_element() -> None:
    with samples.create() as connection:
        document = render(read_content(connection))
    library = document.split("<script>")[1]
    assert "Apache Software Foundation" in library[:200]
    assert "<!--" not in document.split("</head>")[1]


def test_echarts_is_the_published_file() -> None:
    import hashlib

    import prpipeline.report

    folder = Path(prpipeline.report.__file__).parent / "vendor"
    sha = hashlib.sha256((folder / "echarts.common.min.js").read_bytes()).hexdigest()
    assert sha in (folder / "README.md").read_text()


def test_a_failed_write_leaves_the_old_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    release = tmp_path / "releases" / "1"
    release.mkdir(parents=True)
    (tmp_path / "published").symlink_to(release, target_is_directory=True)
    target = tmp_path / "published" / "report.html"
    with samples.create() as connection:
        info = write_report(connection, target)
        assert isinstance(info, ReportInfo)
        assert info.size_bytes == target.stat().st_size == (release / "report.html").stat().st_size
        before = target.read_bytes()
        monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
        with pytest.raises(OSError, match="disk full"):
            write_report(connection, target)
    assert target.read_bytes() == before
    assert [path.name for path in release.iterdir()] == ["report.html"]
