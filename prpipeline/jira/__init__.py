"""Jira, Cloud and Data Center: credentials, requests, searching, the one mapping from answers to records."""
