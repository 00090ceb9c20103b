"""REST as GitHub answers it."""

from __future__ import annotations

from typing import Any

from prpipeline.sandbox.limits import Credential
from prpipeline.sandbox.messages import ApiError, Request, Response
from prpipeline.sandbox.world import World


class RestApi:
    def __init__(self, world: World, sandbox: Any) -> None:
        self.world = world

    def is_app_path(self, path: str) -> bool:
        return False

    def respond_to_app(self, request: Request, path: str) -> Response:
        raise ApiError(404, "Not Found")

    def respond(self, request: Request, path: str, credential: Credential) -> Response:
        raise ApiError(404, "Not Found")
