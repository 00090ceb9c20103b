"""What can be wrong with the inbox of deliveries and its receiver, as types."""

from __future__ import annotations


class InboxError(Exception):
    """The inbox cannot be used; the message is one sentence that says why and what to do."""


class NotListening(Exception):
    """The receiver's address cannot be listened at; the message says why and what to do."""
