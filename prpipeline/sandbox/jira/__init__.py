"""A local stand-in for Jira, Cloud and Data Center: the demo's and the tests'. It imports nothing else of this package, so
that it cannot share a mistake with what it tests."""

from prpipeline.sandbox.jira.lives import Work, world_of_work
from prpipeline.sandbox.jira.model import Issue, Project, Sprint, Status, User
from prpipeline.sandbox.jira.quirks import Quirks
from prpipeline.sandbox.jira.recorded import recorded_world
from prpipeline.sandbox.jira.samples import generated_world
from prpipeline.sandbox.jira.server import EMAIL, TOKEN, Fault, JiraSandbox
from prpipeline.sandbox.jira.tokens import OAuthApp, Token
from prpipeline.sandbox.jira.world import World

__all__ = [
    "EMAIL",
    "TOKEN",
    "Fault",
    "Issue",
    "JiraSandbox",
    "OAuthApp",
    "Project",
    "Quirks",
    "Sprint",
    "Status",
    "Token",
    "User",
    "Work",
    "World",
    "generated_world",
    "recorded_world",
    "world_of_work",
]
