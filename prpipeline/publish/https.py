"""Releases behind a web server: a public bucket, a signed address, or whatever serves files. Read only."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3 import Retry

from prpipeline.model import redaction
from prpipeline.publish.remote import Missing, RemoteError

_TIMEOUT = (10, 60)  # seconds to connect, and between two parts of an answer
_RETRIES = Retry(total=3, backoff_factor=1, status_forcelist=(429, 500, 502, 503, 504), raise_on_status=False)


class Website:
    """The folder at an address. A query in it, such as a signature, is sent along and shown nowhere."""

    def __init__(self, url: str) -> None:
        base, _, self._query = url.partition("?")
        self._base = base.rstrip("/")
        redaction.hold(self._query)
        parts = urlsplit(self._base)
        self.where = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
        self._session = requests.Session()
        self._session.mount(self._base, HTTPAdapter(max_retries=_RETRIES))

    def read(self, key: str) -> bytes:
        """A small file. Raises Missing, RemoteError."""
        try:
            with self._get(key) as answer:
                return answer.content
        except requests.RequestException as error:
            raise self._unreachable(error) from None

    def download(self, key: str, path: Path) -> None:
        """Raises Missing, RemoteError, and OSError for the local file."""
        try:
            with self._get(key) as answer, path.open("wb") as file:
                for part in answer.iter_content(1 << 20):
                    file.write(part)
        except requests.RequestException as error:
            raise self._unreachable(error) from None

    def _get(self, key: str) -> requests.Response:
        url = f"{self._base}/{key}" + (f"?{self._query}" if self._query else "")
        answer = self._session.get(url, stream=True, timeout=_TIMEOUT, headers={"Cache-Control": "no-cache"})
        if answer.status_code == 404:
            raise Missing(f"{self.where}/{key} does not exist.")
        if answer.status_code != 200:
            raise RemoteError(f"{self.where} refuses to be read ({answer.status_code}).")
        return answer

    def _unreachable(self, error: requests.RequestException) -> RemoteError:
        return RemoteError(f"{self.where} cannot be reached ({type(error).__name__}).")
