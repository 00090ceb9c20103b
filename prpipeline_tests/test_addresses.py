"""What people paste where a repository is asked for: it is theirs, whatever page it shows, or another server's."""

from __future__ import annotations

import pytest

from prpipeline.model.repository import InvalidRepositoryName, RepositoryName
from prpipeline.settings import GitHubSettings, load_settings

PUBLIC = "https://api.github.com"
OWN = "https://ghe.corp.example/api/v3"


def github(api_url: str) -> GitHubSettings:
    return load_settings({"GITHUB_API_URL": api_url}).github


@pytest.mark.parametrize(
    ("api_url", "text", "number"),
    [
        (PUBLIC, " octo/app ", None),
        (PUBLIC, "octo/app.git", None),
        (PUBLIC, "octo/app#12", 12),
        (PUBLIC, "octo/app/pull/12", 12),
        (PUBLIC, "https://github.com/octo/app", None),
        (PUBLIC, "HTTPS://WWW.GitHub.com/octo/app/", None),
        (PUBLIC, "https://someone:a-token@github.com:443/octo/app.git", None),
        (PUBLIC, "github.com/octo/app/tree/main", None),
        (PUBLIC, "git@github.com:octo/app.git", None),
        (PUBLIC, "org-12@github.com:octo/app", None),
        (PUBLIC, "ssh://git@github.com/octo/app.git", None),
        (PUBLIC, "ssh://git@ssh.github.com:443/octo/app.git", None),
        (PUBLIC, "git+ssh://git@github.com/octo/app.git", None),
        (PUBLIC, "git://github.com/octo/app.git", None),
        (PUBLIC, "https://github.com/octo/app/pulls", None),
        (PUBLIC, "https://github.com/octo/app/pull/12", 12),
        (PUBLIC, "https://github.com/octo/app/pull/12/files?diff=split&w=1", 12),
        (PUBLIC, "https://github.com/octo/app/pull/12/commits/0a1b2c", 12),
        (PUBLIC, "https://github.com/octo/app/pull/12#issuecomment-77", 12),
        (PUBLIC, "https://github.com/octo/app/pull/12/files#discussion_r77", 12),
        (PUBLIC, "https://github.com/octo/app/pull/12.diff", 12),
        (PUBLIC, "https://github.com/octo/app/issues/12#event-5", 12),
        (PUBLIC, "https://api.github.com/repos/octo/app/pulls/12/reviews", 12),
        (PUBLIC, "https://api.github.com/repos/octo/app", None),
        (OWN, "https://ghe.corp.example/octo/app", None),
        (OWN, "https://GHE.corp.example./octo/app/pull/12", 12),
        (OWN, "https://ghe.corp.example/api/v3/repos/octo/app/pulls/12", 12),
        (OWN, "git@ghe.corp.example:octo/app.git", None),
        (OWN, "ssh://git@ghe.corp.example:122/octo/app.git", None),
        ("https://ghe.corp.example:8443/api/v3/", "https://ghe.corp.example:8443/octo/app", None),
        ("https://ghe.corp.example:8443/api/v3", "git@ghe.corp.example:octo/app", None),
        ("https://api.octo.ghe.com", "https://octo.ghe.com/octo/app/pull/12", 12),
        ("http://localhost:3000/api/v3", "http://127.0.0.1:3000/octo/app", None),
        ("http://127.0.0.1:3000", "https://github.com/octo/app/pull/12", 12),  # a stand-in for it, or a proxy
    ],
)
def test_the_addresses_of_the_configured_server(api_url: str, text: str, number: int | None) -> None:
    address = github(api_url).address(text)
    assert (address.name, address.pull_request) == (RepositoryName("octo", "app"), number)


@pytest.mark.parametrize(
    ("api_url", "text", "value"),
    [
        (PUBLIC, "https://ghe.corp.example/octo/app/pull/12", OWN),
        (PUBLIC, "ghe.corp.example/octo/app", OWN),
        (PUBLIC, "git@ghe.corp.example:octo/app.git", OWN),
        (PUBLIC, "ssh://git@ghe.corp.example:122/octo/app.git", OWN),
        (PUBLIC, "https://ghe.corp.example/api/v3/repos/octo/app", OWN),
        (PUBLIC, "https://ghe.corp.example:8443/octo/app", "https://ghe.corp.example:8443/api/v3"),
        (PUBLIC, "https://octo.ghe.com/octo/app", "https://api.octo.ghe.com"),
        (PUBLIC, "https://github.com.evil.example/octo/app", "https://github.com.evil.example/api/v3"),
        (PUBLIC, "https://github.com@evil.example/octo/app", "https://evil.example/api/v3"),
        (OWN, "https://github.com/octo/app", PUBLIC),
        (OWN, "https://api.github.com/repos/octo/app/pulls/1", PUBLIC),
        (OWN, "https://ghe.corp.example:8443/octo/app", "https://ghe.corp.example:8443/api/v3"),
        ("http://127.0.0.1:3000/api/v3", "https://github.com/octo/app", PUBLIC),
        ("http://127.0.0.1:3000", "http://127.0.0.1:4000/octo/app", "http://127.0.0.1:4000/api/v3"),
        ("http://127.0.0.1:3000", "https://ghe.corp.example/octo/app", OWN),
    ],
)
def test_an_address_of_another_server_names_what_to_set(api_url: str, text: str, value: str) -> None:
    with pytest.raises(InvalidRepositoryName) as refused:
        github(api_url).address(text)
    assert f" set GITHUB_API_URL={value} and " in str(refused.value)
    assert f"leads to, {api_url};" in str(refused.value)


@pytest.mark.parametrize(
    "text", ["", "/", "octo", "octo/app/tree/main", "octo/..", "-/app", "octo/a pp", "github.com/octo", "https://github.com/octo", "octo/app#"]
)  # fmt: skip
def test_what_is_neither(text: str) -> None:
    with pytest.raises(InvalidRepositoryName, match=r"is not a repository name; write it as owner/name\.$"):
        github(PUBLIC).address(text)


def test_a_name_alone_is_no_address() -> None:
    """Where no server is at hand to compare with, an address is refused, not cut down to its name."""
    with pytest.raises(InvalidRepositoryName):
        RepositoryName.parse("https://ghe.corp.example/octo/app")


def test_no_secret_of_an_address_gets_into_a_message() -> None:
    for text in (
        "https://me:secret@ghe.corp.example/octo",
        "https://secret@evil.example/octo/app?token=secret",
    ):
        with pytest.raises(InvalidRepositoryName) as refused:
            github(PUBLIC).address(text)
        assert "secret" not in str(refused.value)
