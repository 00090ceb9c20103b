"""The records themselves, and the words of failures. Imports nothing else of this package."""
