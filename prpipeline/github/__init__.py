"""Talks to GitHub: HTTP and nothing else. What to ask, and where to write it, is decided elsewhere."""

from prpipeline.github.sources import open_sources

__all__ = ["open_sources"]
