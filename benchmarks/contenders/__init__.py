"""The contenders: each runs in a process of its own and prints its costs as a line of JSON."""
