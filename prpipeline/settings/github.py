"""GitHub's addresses and our credentials there, from the environment."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from msgspec.structs import replace

from prpipeline.model.repository import Address, InvalidRepositoryName, RepositoryName
from prpipeline.settings.errors import ConfigurationError, SecretStr
from prpipeline.settings.section import Section

PUBLIC_API = "https://api.github.com"


class GitHubApp(Section, frozen=True, kw_only=True):
    """The credential of a GitHub App."""

    app_id: str
    private_key: SecretStr
    installation_id: int | None = None


class NamedCredential(Section, frozen=True, kw_only=True):
    """A credential that runs can be given by its name: a token or an App."""

    name: str
    token: SecretStr | None = None
    app: GitHubApp | None = None


class GitHubSettings(Section, frozen=True, kw_only=True):
    """GitHub's addresses, and how to sign in."""

    api_url: str = PUBLIC_API
    graphql_url: str = f"{PUBLIC_API}/graphql"
    tokens: tuple[SecretStr, ...] = ()
    app: GitHubApp | None = None
    names: tuple[str, ...] = ()  # PRPIPELINE_CREDENTIALS
    named: tuple[NamedCredential, ...] = ()  # those of them whose secrets are in this environment
    api: Literal["graphql", "rest"] = "graphql"

    def only(self, name: str) -> GitHubSettings:
        """The same with this named credential alone. Raises ConfigurationError."""
        found = tuple(each for each in self.named if each.name == name)
        if not found:
            raise ConfigurationError(
                f"This run is to use the credential {name!r}, which is not here; name it in PRPIPELINE_CREDENTIALS and set "
                f"GITHUB_TOKEN_{_suffix(name)} where the run is."
            )
        return replace(self, tokens=(), app=None, named=found)

    def repository(self, text: str) -> RepositoryName:
        """The repository of a name, or of an address on this GitHub. Raises InvalidRepositoryName."""
        return self.address(text).name

    def address(self, text: str) -> Address:
        """The parts of a name or of an address on this GitHub. Raises InvalidRepositoryName."""
        found = Address.parse(text)
        if found.server is not None and not _is_served(found.server, self.api_url):
            raise InvalidRepositoryName(
                f"{found.name} at {found.server} is not on the GitHub that GITHUB_API_URL leads to, {self.api_url}; for "
                f"that server, set GITHUB_API_URL={_api_root(found.server)} and a PRPIPELINE_DATA_DIR of its own."
            )
        return found


def github_settings(env: Mapping[str, str]) -> GitHubSettings:
    """The settings from environment variables. Raises ConfigurationError."""
    api_url = (env.get("GITHUB_API_URL") or PUBLIC_API).rstrip("/")
    graphql_url = (env.get("GITHUB_GRAPHQL_URL") or _graphql_url(api_url)).rstrip("/")
    for name, url in (("GITHUB_API_URL", api_url), ("GITHUB_GRAPHQL_URL", graphql_url)):
        check_url(name, url, env, example=PUBLIC_API, secret="GITHUB_TOKEN")  # noqa: S106 - a variable's name
    tokens = next((tokens_in(name, env[name]) for name in ("GITHUB_TOKEN", "GH_TOKEN") if env.get(name)), [])
    api = env.get("PRPIPELINE_GITHUB_API") or "graphql"
    if api not in {"graphql", "rest"}:
        raise ConfigurationError(f"PRPIPELINE_GITHUB_API is {api!r}; write graphql or rest.")
    names = _names(env)
    return GitHubSettings(
        api_url=api_url,
        graphql_url=graphql_url,
        tokens=tuple(SecretStr(t) for t in tokens),
        app=_github_app(env),
        names=names,
        named=tuple(found for name in names if (found := _named(name, env))),
        api="rest" if api == "rest" else "graphql",
    )


def _names(env: Mapping[str, str]) -> tuple[str, ...]:
    names = tuple(part.strip() for part in env.get("PRPIPELINE_CREDENTIALS", "").split(",") if part.strip())
    for name in names:
        if not re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,40}[a-z0-9])?", name):
            # It may be a token.
            raise ConfigurationError(
                "PRPIPELINE_CREDENTIALS holds what is no name; write names of small letters, digits and hyphens, separated by "
                "commas, and their secrets into GITHUB_TOKEN_NAME."
            )
    if len({_suffix(name) for name in names}) < len(names):
        raise ConfigurationError("PRPIPELINE_CREDENTIALS names a credential twice; remove one.")
    return names


def _suffix(name: str) -> str:
    """Of the variables that hold a named credential: GITHUB_TOKEN_TEAM_A for team-a."""
    return name.upper().replace("-", "_")


def _named(name: str, env: Mapping[str, str]) -> NamedCredential | None:
    """None where its secrets are not in this environment: they may be where its runs are."""
    ending = f"_{_suffix(name)}"
    own = {key.removesuffix(ending): value for key, value in env.items() if key.endswith(ending)}
    if value := own.get("GITHUB_TOKEN"):
        tokens = tokens_in(f"GITHUB_TOKEN{ending}", value)
        if len(tokens) != 1:
            raise ConfigurationError(f"GITHUB_TOKEN{ending} has to hold one token; give each a name.")
        return NamedCredential(name=name, token=SecretStr(tokens[0]))
    try:
        app = _github_app(own)
    except ConfigurationError as error:
        raise ConfigurationError(f"Of the credential {name}: {error}") from None
    return NamedCredential(name=name, app=app) if app else None


def tokens_in(variable: str, value: str) -> list[str]:
    """The tokens in a variable, separated by commas. Raises ConfigurationError, which shows none."""
    tokens = list(dict.fromkeys(t for t in (part.strip() for part in value.split(",")) if t))
    for token in [value.strip(), *tokens]:
        if any(quote in token for quote in _QUOTES):
            raise ConfigurationError(f"{variable} is in quotes: remove them.")
        if prefix := _PREFIX.match(token):
            raise ConfigurationError(
                f"{variable} begins with “{prefix[1].strip()}”: remove that, and leave the token alone."
            )
    for token in tokens:
        if not re.fullmatch(r"[\x21-\x7e]+", token):
            raise ConfigurationError(
                f"{variable} holds white space or unprintable characters; copy it again."
            )
    return tokens


# Straight and typographic, of all languages, and the one of code in a chat.
_QUOTES = "\"'`´“”„‟‘’‚‛«»‹›＂＇"
_PREFIX = re.compile(
    r"(authorization:|bearer[:\s]|token[:\s]|(?:GITHUB|GH|JIRA)_TOKEN=|export\s)", re.IGNORECASE
)


def _github_app(env: Mapping[str, str]) -> GitHubApp | None:
    app_id = env.get("GITHUB_APP_ID")
    key = env.get("GITHUB_APP_PRIVATE_KEY", "").replace("\\n", "\n")
    key_path = env.get("GITHUB_APP_PRIVATE_KEY_PATH")
    if not app_id:
        if key or key_path:
            raise ConfigurationError("GITHUB_APP_ID is missing beside the App's private key; set it.")
        return None
    if not key and key_path:
        try:
            key = Path(key_path).expanduser().read_text(encoding="ascii")
        except (OSError, RuntimeError, UnicodeDecodeError):
            raise ConfigurationError(
                f"GITHUB_APP_PRIVATE_KEY_PATH: {key_path} cannot be read; point it at the App's .pem file."
            ) from None
    if "PRIVATE KEY" not in key:
        raise ConfigurationError(
            "GITHUB_APP_ID is set, but no private key is; set GITHUB_APP_PRIVATE_KEY_PATH to the App's .pem file."
        )
    installation = env.get("GITHUB_APP_INSTALLATION_ID")
    if installation and not installation.isdigit():
        raise ConfigurationError(f"GITHUB_APP_INSTALLATION_ID is {installation!r}, not a number.")
    return GitHubApp(
        app_id=app_id,
        private_key=SecretStr(key),
        installation_id=int(installation) if installation else None,
    )


def _graphql_url(api_url: str) -> str:
    """The address on the same server: …/api/v3 (Enterprise Server) becomes …/api/graphql, others …/graphql."""
    if api_url.endswith("/api/v3"):
        return api_url.removesuffix("/v3") + "/graphql"
    return api_url + "/graphql"


def _is_served(server: str, api_url: str) -> bool:
    """Whether the web server is that of the API. An address without a port may leave out the API's."""
    host, port = _web_host(server)
    api_host, api_port = _web_host(api_url)
    if host == "github.com" and api_host == "localhost" and not api_url.endswith("/api/v3"):
        return True  # a stand-in for the public GitHub, or a proxy to it
    return host == api_host and port in {None, api_port}


def _web_host(url: str) -> tuple[str, int | None]:
    """The host whose pages people see, one spelling for each, and the port; None is the scheme's own."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    port = None if parts.port == {"http": 80, "https": 443}[parts.scheme] else parts.port
    return "localhost" if is_here(host) else re.sub(r"^(www|api|ssh)\.", "", host), port


def _api_root(server: str) -> str:
    """The value of GITHUB_API_URL for a web server."""
    parts = urlsplit(server)
    host, _ = _web_host(server)
    if host == "github.com":
        return PUBLIC_API
    if host.endswith(".ghe.com"):
        return f"https://api.{host}"
    return f"{parts.scheme}://{parts.netloc}/api/v3"


def check_url(name: str, url: str, env: Mapping[str, str], *, example: str, secret: str) -> None:
    """Raise ConfigurationError unless a variable holds the address of an API; ``secret`` is where its credential goes."""
    allow_http = env.get("PRPIPELINE_ALLOW_HTTP", "") in {"1", "true", "yes"}
    try:
        parts = urlsplit(url)
        host = parts.hostname
        _ = parts.port
    except ValueError:
        host, parts = None, None
    if " " in url or not url.isprintable():
        parts = None
    if parts is None or not host or parts.scheme not in {"http", "https"} or parts.query or parts.fragment:
        raise ConfigurationError(f"{name} is {_redacted(url)!r}; write it like {example}.")
    if parts.username or parts.password:
        raise ConfigurationError(f"{name} holds a user name or password; put the credential in {secret}.")
    if parts.scheme == "http" and not is_here(host) and not allow_http:
        raise ConfigurationError(
            f"{name} is plain http, which would send the token unencrypted; use https, "
            "or set PRPIPELINE_ALLOW_HTTP=1 where the network is trusted."
        )


def is_here(host: str) -> bool:
    """Whether the host is this machine's loopback address; 127.example.org is not."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _redacted(url: str) -> str:
    """The address without a user name or password in it."""
    return re.sub(r"//[^/@]*@", "//", url)
