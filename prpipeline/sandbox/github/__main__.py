"""`python -m prpipeline.sandbox.github`: a local GitHub until interrupted."""

from __future__ import annotations

import argparse
import gc
import signal
import sys
import threading

from prpipeline.sandbox.github import Sandbox, World, generated_world, recorded_world, sample_world
from prpipeline.sandbox.github.limits import Credential
from prpipeline.sandbox.github.server import DEFAULT_TOKEN


def main(arguments: list[str] | None = None) -> int:
    """Serve a world, and say where."""
    options = _parser().parse_args(arguments)
    world = _world(options)
    # A large world lives as long as the process: garbage collection would only delay answers.
    gc.freeze()
    with Sandbox(
        world,
        tokens=[
            Credential(token, core_limit=options.limit, graphql_limit=options.limit)
            for token in options.token or [DEFAULT_TOKEN]
        ],
        latency=options.latency,
        port=options.port,
    ) as server:
        over = threading.Event()
        # A shell starts background processes with both signals ignored.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: over.set())
        print(server.url, flush=True)
        over.wait()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m prpipeline.sandbox.github", description="A local stand-in for GitHub."
    )
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; any free one by default")
    parser.add_argument("--latency", type=float, default=0.0, metavar="SECONDS", help="how long answers take")
    parser.add_argument(
        "--token", action="append", help=f"token to let in, may be repeated; default {DEFAULT_TOKEN}"
    )
    parser.add_argument(
        "--limit",
        type=int,
        default=5000,
        metavar="N",
        help="what a token may spend in an hour, by REST and by GraphQL each",
    )
    parser.add_argument(
        "--recorded", metavar="DIR", help="serve recorded pulls.jsonl.gz and reviews.jsonl.gz"
    )
    parser.add_argument("--repositories", type=int, metavar="N", help="serve so many generated repositories")
    parser.add_argument(
        "--pull-requests", type=int, default=1000, metavar="N", help="in each generated repository"
    )
    return parser


def _world(options: argparse.Namespace) -> World:
    if options.recorded:
        return recorded_world(options.recorded)
    if options.repositories:
        return generated_world(options.repositories, options.pull_requests)
    return sample_world()


if __name__ == "__main__":
    sys.exit(main())
