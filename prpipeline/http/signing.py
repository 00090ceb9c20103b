"""What signs a request."""

from __future__ import annotations

import requests


class BearerAuth(requests.auth.AuthBase):
    """Sets the header itself: requests would prefer ``~/.netrc``."""

    def __init__(self, token: str | None) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._token:
            request.headers["Authorization"] = f"Bearer {self._token}"
        return request
