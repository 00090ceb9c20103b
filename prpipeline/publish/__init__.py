"""The published database: what its tables mean, and how a release of it is written and read."""
