"""A local stand-in for GitHub with sample repositories: the demo's server, and the tests'.

It imports nothing else of this package, so that it cannot share a mistake with what it tests.
"""

from prpipeline.sandbox.clock import ManualClock, SystemClock
from prpipeline.sandbox.github.apps import App, Installation
from prpipeline.sandbox.github.faults import Fault
from prpipeline.sandbox.github.generated import generated_world
from prpipeline.sandbox.github.limits import Credential
from prpipeline.sandbox.github.model import Actor, PullRequest, Repository, Review, Team
from prpipeline.sandbox.github.recorded import recorded_world
from prpipeline.sandbox.github.samples import sample_teams, sample_world, with_a_new_login
from prpipeline.sandbox.github.server import Sandbox
from prpipeline.sandbox.github.world import SILENT, World

__all__ = [
    "SILENT",
    "Actor",
    "App",
    "Credential",
    "Fault",
    "Installation",
    "ManualClock",
    "PullRequest",
    "Repository",
    "Review",
    "Sandbox",
    "SystemClock",
    "Team",
    "World",
    "generated_world",
    "recorded_world",
    "sample_teams",
    "sample_world",
    "with_a_new_login",
]
