"""Deliveries of webhooks: received, verified, and kept as hints until they are drained. Knows neither DuckDB nor Dagster."""
