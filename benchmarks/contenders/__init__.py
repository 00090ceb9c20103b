"""The compared programs: each runs in its own process and prints its costs as a line of JSON."""
