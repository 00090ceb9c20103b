"""Alerts and digests: what is wrong, by the warehouse's record; what waits, by the published file; and how it is sent."""
