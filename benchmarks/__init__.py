"""Speed and cost as facts: ``make bench``, ``make bench-quick``. Tables, not assertions."""
