"""What is between us and GitHub: servers that are gone, proxies that lead elsewhere, hide something or tell another date."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec.structs import replace

from prpipeline.sandbox.github import Fault, ManualClock, Sandbox
from prpipeline.sync import SyncOptions
from prpipeline_tests.support.slow import some_slow
from prpipeline_tests.support.sync_lab import SyncLab, small_world

APIS = ("graphql", "rest")
PLAIN = SyncOptions()


@pytest.fixture
def server() -> Iterator[Sandbox]:
    with Sandbox(small_world(3)) as server:
        yield server


@pytest.mark.parametrize(
    ("api", "years"),
    some_slow([(api, years) for api in APIS for years in (-5, 5)], ("graphql", -5), ("rest", 5)),
)
def test_a_clock_that_is_wrong_by_years(tmp_path: Path, api: str, years: int) -> None:
    """Later changes are found, even if a proxy sends the wrong date."""
    world = small_world(4)
    clock: ManualClock = world.clock  # type: ignore[assignment]
    clock.advance(datetime.now(UTC) - clock.now())
    with Sandbox(world) as server:
        here = SyncLab(world, server, tmp_path, api)
        server.faults.add(Fault("wrong_date", times=None, seconds=years * 365 * 86_400))
        assert here.sync()[0].error is None
        assert here.sync()[0].error is None
        server.faults.clear()
        here.live()
        assert here.sync()[0].error is None
        here.assert_equal()


def test_a_list_that_continues_at_another_host(server: Sandbox, tmp_path: Path) -> None:
    here = SyncLab(server.world, server, tmp_path, "rest")
    with Sandbox(small_world(1)) as elsewhere:
        fault = Fault("link_elsewhere", times=None, url=elsewhere.url + "/repos/octo/app/pulls")
        fault.match = lambda request: request.path.endswith("/reviews")
        server.faults.add(fault)
        (result,) = here.sync()
        assert (result.mode, result.failure) == ("failed", "RequestRejected")
        assert "another host" in (result.error or "")
        assert elsewhere.requests == []
    server.faults.clear()
    here.sync()
    here.assert_equal()


@pytest.mark.parametrize(
    ("api", "status"),
    some_slow(
        [(api, status) for api in APIS for status in (301, 302, 307, 308)],
        ("rest", 301), ("graphql", 302), ("rest", 307), ("graphql", 308),
    ),
)  # fmt: skip
def test_a_redirect_to_another_host(server: Sandbox, tmp_path: Path, api: str, status: int) -> None:
    here = SyncLab(server.world, server, tmp_path, api)
    with Sandbox(small_world(1)) as elsewhere:
        server.faults.add(Fault("redirect", times=None, status=status, url=elsewhere.url + "/repos/octo/app"))
        (result,) = here.sync()
        assert (result.mode, result.failure) == ("failed", "RequestRejected")
        assert elsewhere.requests == []


def test_a_redirect_loop(server: Sandbox, tmp_path: Path) -> None:
    here = SyncLab(server.world, server, tmp_path, "rest")
    server.faults.add(Fault("redirect", times=None, url=server.url + "/repos/octo/app"))
    (result,) = here.sync()
    assert (result.failure, len(server.requests)) == ("RequestRejected", 1)


def test_a_server_that_is_gone(server: Sandbox, tmp_path: Path) -> None:
    here = SyncLab(server.world, server, tmp_path)
    here.sync()
    before = here.tracked().watermark_at
    here.live()
    server.stop()
    (result,) = here.sync()
    assert (result.mode, result.failure) == ("failed", "NetworkTrouble")
    assert "refuses connections" in (result.error or "")
    assert here.tracked().watermark_at == before
    server.start()
    here.sync()
    here.assert_equal()


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("https://127.0.0.1:{port}", "No trusted encrypted connection"),
        ("https://nowhere.invalid", "nowhere.invalid"),
    ],
)
def test_a_server_that_cannot_be_reached(
    server: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str, says: str
) -> None:
    for proxy in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(proxy, raising=False)
    here = SyncLab(server.world, server, tmp_path)
    address = url.format(port=server.port)
    here.client.github = replace(here.client.github, graphql_url=address + "/graphql")
    (result,) = here.sync()
    assert (result.mode, result.failure) == ("failed", "NetworkTrouble")
    assert says in (result.error or "")


@pytest.mark.parametrize(
    ("place", "times"),
    some_slow(
        [("/pulls/3", 1), ("/pulls/3", None), ("/pulls/3/reviews", None), ("/issues/3/timeline", 1)],
        ("/pulls/3", None),
        ("/issues/3/timeline", 1),
    ),
)
def test_a_404_for_a_listed_pull_request(tmp_path: Path, place: str, times: int | None) -> None:
    """From GitHub or a proxy: nothing is removed, and nothing counts as read that was not."""
    with Sandbox(small_world(3)) as server:
        here = SyncLab(server.world, server, tmp_path, "rest")
        for prepare, options in ((None, PLAIN), (here.live, PLAIN), (None, SyncOptions(reconcile=True))):
            if prepare:
                prepare()
            before = here.tracked().watermark_at
            server.faults.add(
                Fault("status", status=404, times=times, match=lambda r: r.path.endswith(place))
            )
            (result,) = here.sync(options)
            if times is None:
                assert (result.mode, result.failure) == ("failed", "MalformedAnswer")
                assert here.tracked().watermark_at == before or options.reconcile
                server.faults.clear()
                here.sync(options)
            else:
                assert result.error is None
            here.assert_equal()
