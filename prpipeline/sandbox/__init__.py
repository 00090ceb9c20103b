"""Strict local stand-ins for the services that are synced: the demo's, and the tests'. Imports nothing else of ours."""
