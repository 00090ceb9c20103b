"""No sync writes or prints a secret, or sends one to another host."""

from __future__ import annotations

import logging
import traceback
from pathlib import Path

import pytest

from prpipeline.github.sources import open_sources
from prpipeline.model import redaction
from prpipeline.model.failures import ApiFailure, RequestRejected
from prpipeline.model.repository import RepositoryName
from prpipeline.sandbox.github import Fault, Sandbox
from prpipeline.sandbox.messages import Response
from prpipeline.settings import ConfigurationError, load_settings
from prpipeline_tests.support.slow import some_slow
from prpipeline_tests.support.sync_lab import SyncLab, small_world

TOKENS = {
    "classic": "ghp_0123456789abcdefghijABCDEFGHIJ012345",
    "fine-grained": "github_pat_11ABCDEFG0123456789abcdefghijklmnopqrstuvwxyz",
    "new installation": "ghs_12345_eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiIxMjM0NSJ9.c2lnbmF0dXJl-_x",
    "of an unknown form": "a-token-unlike-all-others",
}


@pytest.mark.parametrize(
    ("api", "form"),
    some_slow(
        [(api, form) for api in ("graphql", "rest") for form in TOKENS],
        ("graphql", "fine-grained"),
        ("rest", "of an unknown form"),
    ),
)
def test_nothing_written_contains_the_token(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], api: str, form: str
) -> None:
    token = TOKENS[form]
    logging.getLogger().addHandler(handler := logging.FileHandler(tmp_path / "log.txt"))
    logging.getLogger().setLevel(logging.DEBUG)  # including other libraries' logs of our requests
    shown: list[str] = []
    world = small_world(3)
    try:
        with Sandbox(world, tokens=[token]) as server:
            here = SyncLab(world, server, tmp_path, api, tokens=token)
            here.sync()
            for fault in (
                Fault("status", status=500),
                Fault("reset"),
                Fault("secondary_limit", retry_after=5),
                Fault("redirect"),
                _echo(token, 422),
                _echo(token, 403),
                _echo(token, 500),
            ):
                here.live()
                server.faults.add(fault)
                shown += [repr(result) for result in here.sync()]
            server.revoke_token(token)
            shown += [repr(result) for result in here.sync()]
            try:
                here.source.repository(RepositoryName("octo", "app"))
            except ApiFailure as failure:
                shown += [repr(failure), str(failure), "".join(traceback.format_exception(failure))]
            shown += [repr(here.settings), repr(here.client), repr(vars(here.client)), repr(here.sources)]
    finally:
        logging.getLogger().removeHandler(handler)
        logging.getLogger().setLevel(logging.WARNING)
    captured = capfd.readouterr()
    written = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert len(written) >= 3
    for where in [*written, *(text.encode() for text in [*shown, captured.out, captured.err])]:
        assert token.encode() not in where
    assert any("***" in text for text in shown), "what GitHub echoed was redacted, not dropped"


def _echo(token: str, status: int) -> Fault:
    """A server or proxy that repeats the request in its answer."""
    fault = Fault("status", status=status, times=1)
    body = {"message": f"I was sent Authorization: Bearer {token}, that is {token}"}
    fault.change = lambda request, response, now: Response.of_json(body, status)  # type: ignore[method-assign]
    return fault


def test_every_kind_of_log_record_is_redacted(caplog: pytest.LogCaptureFixture) -> None:
    redaction.hold("a-very-secret-thing")
    log = logging.getLogger("prpipeline")
    with caplog.at_level(logging.INFO, logger="prpipeline"):
        log.info("by argument %s and %s", "a-very-secret-thing", {"token": "ghp_" + "x" * 36})
        try:
            raise ValueError("inside a-very-secret-thing")
        except ValueError:
            log.exception("with a traceback")
        log.info("no arguments, 100 %% a-very-secret-thing")
    assert "a-very-secret-thing" not in caplog.text
    assert "ghp_" not in caplog.text
    assert "inside ***" in caplog.text


@pytest.mark.parametrize(
    "text",
    [
        *(token for name, token in TOKENS.items() if name != "of an unknown form"),
        "gho_abcdefghijklmnop0123",
        "Authorization: Basic dXNlcjpwYXNz",
        "{'Authorization': 'token 0123456789abcdef'}",
        "https://user:hunter2@github.example.com/x",
        "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nIBAAKC\n-----END RSA PRIVATE KEY-----",
        "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiIxMjM0NSJ9.c2lnbmF0dXJl",
    ],
)
def test_what_looks_like_a_secret_is_redacted(text: str) -> None:
    clean = redaction.redact(f"before {text} after")
    assert "***" in clean
    assert clean.startswith("before ")
    assert clean.endswith(" after")
    for part in ("0123456789abcdef", "hunter2", "dXNlcjpwYXNz", "MIIEow", "c2lnbmF0dXJl"):
        assert part not in clean


@pytest.mark.parametrize(
    "text", ["a pull request by ghost", "ghp_short", "eyJ no token", "100 % of 5,000 points"]
)
def test_ordinary_text_is_not_redacted(text: str) -> None:
    assert redaction.redact(text) == text


@pytest.mark.parametrize("api", ["graphql", "rest"])
def test_the_token_stays_with_its_host(tmp_path: Path, api: str) -> None:
    world = small_world(3)
    with Sandbox(world) as server, Sandbox(small_world(1)) as elsewhere:
        here = SyncLab(world, server, tmp_path, api)
        for kind in ("redirect", "link_elsewhere"):
            server.faults.add(Fault(kind, times=None, url=elsewhere.url + "/repos/octo/app"))
            here.sync()
            server.faults.clear()
        with pytest.raises(RequestRejected, match="another host"):
            here.client.get(elsewhere.url + "/user", read=lambda answer: answer)
        assert elsewhere.requests == []


@pytest.mark.parametrize(
    "location",
    [
        "//evil.example/x",
        "http://127.0.0.1:99999/x",
        "http://[::1/x",
        "https://127.0.0.1/x",
        "javascript:alert(1)",
    ],
)
def test_nothing_is_sent_to_odd_addresses(tmp_path: Path, location: str) -> None:
    world = small_world(1)
    with Sandbox(world) as server:
        here = SyncLab(world, server, tmp_path, "rest")
        server.faults.add(Fault("redirect", times=None, url=location))
        with pytest.raises(RequestRejected):
            here.source.repository(RepositoryName("octo", "app"))


def test_netrc_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    world = small_world(1)
    with Sandbox(world) as server:
        for tokens, sent in (("sandbox-token", "Bearer sandbox-token"), ("", None)):
            here = SyncLab(world, server, tmp_path / (tokens or "none"), "rest", tokens=tokens)
            here.source.repository(RepositoryName("octo", "app"))
            assert server.requests[-1].header("authorization") == sent


def test_plain_http_only_to_this_machine() -> None:
    with pytest.raises(ConfigurationError, match="plain http"):
        load_settings(
            {"GITHUB_API_URL": "http://github.example.com/api/v3", "GITHUB_TOKEN": "t0ken-to-nowhere"}
        )
    allowed = {"GITHUB_API_URL": "http://github.example.com/api/v3", "PRPIPELINE_ALLOW_HTTP": "1"}
    assert open_sources(load_settings(allowed | {"GITHUB_TOKEN": "t0ken-to-nowhere"}))
