"""`python -m prpipeline.sandbox.jira`: a local Jira until interrupted."""

from __future__ import annotations

import argparse
import signal
import sys
import threading

from prpipeline.sandbox.jira import EMAIL, TOKEN, JiraSandbox, Token, generated_world, recorded_world
from prpipeline.sandbox.jira.tokens import Kind


def main(arguments: list[str] | None = None) -> int:
    """Serve a world, and say how to reach it."""
    options = _parser().parse_args(arguments)
    keys = tuple(options.project or ("ABC", "OPS"))
    world = recorded_world(options.recorded) if options.recorded else generated_world(keys, options.issues)
    if options.zone:
        world.bot.zone = options.zone
    kind: Kind = (
        "personal" if options.edition == "data-center" else "scoped" if options.scoped else "unscoped"
    )
    token = Token(options.token, world.bot, kind)
    with JiraSandbox(
        world, edition=options.edition, context=options.context, tokens=[token], port=options.port
    ) as server:
        over = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: over.set())
        for name, value in server.environment.items():
            print(f"export {name}={value}", flush=True)
        over.wait()
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m prpipeline.sandbox.jira", description="A local stand-in for Jira."
    )
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; any free one by default")
    parser.add_argument("--edition", choices=["cloud", "data-center"], default="cloud")
    parser.add_argument("--context", default="", metavar="/PATH", help="the context path of a Data Center")
    parser.add_argument(
        "--scoped", action="store_true", help="the token has scopes: it works at the gateway only"
    )
    parser.add_argument("--token", default=TOKEN, help=f"token to let in, with {EMAIL}; default {TOKEN}")
    parser.add_argument("--zone", help="the time zone of the token's account")
    parser.add_argument("--recorded", metavar="FILE", help="serve recorded payloads (.jsonl.gz)")
    parser.add_argument(
        "--project", action="append", metavar="KEY", help="serve generated projects; default ABC, OPS"
    )
    parser.add_argument("--issues", type=int, default=200, metavar="N", help="in each generated project")
    return parser


if __name__ == "__main__":
    sys.exit(main())
