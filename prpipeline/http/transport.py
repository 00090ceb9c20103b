"""One HTTP request with an end: a total time limit, no redirects, a largest body.

``requests`` bounds the pauses between bytes, not the whole; a server that drips would hold us for ever.
"""

from __future__ import annotations

import contextlib
import re
import socket
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, cast
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection

from prpipeline.http.answer import Answer
from prpipeline.model.failures import NetworkTrouble
from prpipeline.model.redaction import redact

_LARGEST_BODY = 64 * 1024 * 1024

# ValueError is Python's own for some of what is no HTTP, such as a chunk of negative length.
_BROKEN = (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError)


class Transport:
    """A session of one connection, so that there is never more than one request in flight."""

    def __init__(self, service: str, timeout_seconds: float) -> None:
        self._service = service
        self._timeout = timeout_seconds
        self._adapter = _Adapter()
        self._session = _Session()
        self._session.mount("http://", self._adapter)
        self._session.mount("https://", self._adapter)

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str],
        auth: requests.auth.AuthBase,
        body: Any = None,
    ) -> Answer:
        """Send and read to the end. Raises NetworkTrouble; any status is an answer."""
        deadline = threading.Timer(self._timeout, self._adapter.abort)
        deadline.daemon = True
        deadline.start()
        try:
            with self._session.request(
                method,
                url,
                headers=dict(headers),
                auth=auth,
                json=body,
                # Between bytes; the deadline comes first, and its message says more.
                timeout=(min(10.0, self._timeout), 2 * self._timeout),
                allow_redirects=False,
                stream=True,
            ) as response:
                content = response.raw.read(_LARGEST_BODY + 1, decode_content=True)
                if len(content) > _LARGEST_BODY:
                    raise NetworkTrouble(f"{self._service}'s answer has no end (over 64 MiB).")
                if self._adapter.aborted:  # without a length, what was cut off looks like the end
                    raise NetworkTrouble(self._too_slow(url))
                if response.raw.length_remaining:  # urllib3 before version 2 does not mind
                    raise NetworkTrouble(f"The answer from {_host(url)} broke off.")
                return Answer(
                    service=self._service,
                    status=response.status_code,
                    headers={name.lower(): value for name, value in response.headers.items()},
                    body=content,
                    received_at=datetime.now(UTC).replace(tzinfo=None),
                )
        except _BROKEN as error:
            if self._adapter.aborted:
                raise NetworkTrouble(self._too_slow(url)) from None
            raise NetworkTrouble(_explain(error, url)) from None
        finally:
            deadline.cancel()
            self._adapter.aborted = False

    def _too_slow(self, url: str) -> str:
        return f"No complete answer within {self._timeout:g} s from {_host(url)}."

    def abort(self) -> None:
        """From another thread: break off the request in flight, if there is one."""
        self._adapter.abort()

    def close(self) -> None:
        self._session.close()


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> None:
        """None, so that requests does not parse a target that need not be an address."""


class _Adapter(HTTPAdapter):
    """Knows the sockets of its connections, so that a timer or another thread can shut the one in use."""

    def __init__(self) -> None:
        self.aborted = False
        self._sockets: list[socket.socket] = []
        super().__init__(pool_connections=2, pool_maxsize=1, pool_block=True, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _pool_classes(self._sockets)

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(*args, **kwargs)
        manager.pool_classes_by_scheme = _pool_classes(self._sockets)
        return manager

    def abort(self) -> None:
        self.aborted = True
        for connected in self._sockets:
            with contextlib.suppress(OSError):  # closed already
                connected.shutdown(socket.SHUT_RDWR)


def _pool_classes(sockets: list[socket.socket]) -> dict[str, type[urllib3.HTTPConnectionPool]]:
    def remember(connected: Any) -> None:
        sockets[:] = [s for s in sockets if s.fileno() >= 0]
        sockets.append(cast(socket.socket, connected))

    class Plain(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            remember(connected := super()._new_conn())
            return connected

    class Encrypted(HTTPSConnection):
        def _new_conn(self) -> socket.socket:  # a proxy is spoken to before there is encryption
            remember(connected := super()._new_conn())
            return connected

        def connect(self) -> None:
            super().connect()
            remember(self.sock)

    class PlainPool(urllib3.HTTPConnectionPool):
        ConnectionCls = Plain

    class EncryptedPool(urllib3.HTTPSConnectionPool):
        ConnectionCls = Encrypted

    return {"http": PlainPool, "https": EncryptedPool}


def _host(url: str) -> str:
    return urlsplit(url).netloc.rpartition("@")[2]


def _explain(error: Exception, url: str) -> str:
    """A sentence for what usually goes wrong."""
    host, text = _host(url), str(error)
    if isinstance(error, requests.exceptions.SSLError):
        return f"No trusted encrypted connection to {host} ({_reason(text)})."
    if isinstance(error, requests.exceptions.ProxyError):
        return f"The proxy on the way to {host} refuses ({_reason(text)}); check HTTPS_PROXY, HTTP_PROXY and ALL_PROXY."
    if isinstance(error, (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema)):
        # Our own addresses were checked with the settings.
        return f"HTTPS_PROXY, HTTP_PROXY or ALL_PROXY names no proxy that can be used to {host}; correct or unset it."
    if "CA certificate" in text:
        return "The file that REQUESTS_CA_BUNDLE or CURL_CA_BUNDLE names does not exist; correct or unset it."
    if isinstance(error, requests.exceptions.ConnectTimeout):
        return f"{host} does not answer."
    if isinstance(error, (requests.exceptions.Timeout, urllib3.exceptions.TimeoutError, TimeoutError)):
        return f"{host} stopped answering."
    if "NameResolutionError" in text or "getaddrinfo" in text:
        return f"The name {host} is not known to this machine's DNS."
    if "refused" in text.lower():
        return f"{host} refuses connections."
    return f"The connection to {host} broke ({type(error).__name__})."


def _reason(text: str) -> str:
    """What is behind all the wrapping, without the names of classes."""
    innermost = re.findall(r"""["']([^"']*)["']\)""", text)
    found = innermost[-1].rpartition(": ")[2] if innermost else text.rpartition("Caused by")[2] or text
    return redact(found)[:160].strip("() ")
