"""A local stand-in for GitHub with sample repositories: the demo's server, and the tests'.

It imports nothing else of this package, so that it cannot share a mistake with what it tests.
"""

from prpipeline.sandbox.apps import App, Installation
from prpipeline.sandbox.clock import ManualClock, SystemClock
from prpipeline.sandbox.faults import Fault
from prpipeline.sandbox.limits import Credential
from prpipeline.sandbox.model import Actor, PullRequest, Repository, Review, Team
from prpipeline.sandbox.recorded import recorded_world
from prpipeline.sandbox.samples import generated_world, sample_world
from prpipeline.sandbox.server import Sandbox
from prpipeline.sandbox.world import SILENT, World

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
    "sample_world",
]
