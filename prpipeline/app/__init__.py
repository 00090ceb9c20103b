"""The steps, wired: what the command line, Dagster and scripts call. Holds no step of its own."""
