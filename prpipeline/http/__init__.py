"""How to talk to any HTTP API: one request in flight, an end to each, one retry loop, waits for limits."""
