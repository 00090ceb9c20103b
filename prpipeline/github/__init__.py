"""Talks to GitHub: HTTP and nothing else. What to ask, and where to write it, is decided elsewhere."""
