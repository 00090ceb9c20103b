"""The records, and the types of failures. Imports nothing else of this package."""
