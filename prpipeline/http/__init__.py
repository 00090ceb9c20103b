"""How to talk to any API."""
