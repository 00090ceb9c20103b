"""What GitHub says in an answer that holds no data, for people. Pure."""

from __future__ import annotations

from prpipeline.http.answer import Answer
from prpipeline.http.words import NO_WORDS, is_address, is_page, json_object, page_title, shorten


def explanation(answer: Answer) -> str:
    """GitHub's message with the address of its documentation, or the title of a page; NO_WORDS where there is none."""
    body = json_object(answer)
    if is_page(answer):
        return page_title(answer)
    if body is None:
        return NO_WORDS
    message = body.get("message")
    if not isinstance(message, str) or not message.strip():
        return NO_WORDS
    said, address = shorten(message), body.get("documentation_url")
    if isinstance(address, str) and is_address(address) and address not in said:
        said = f"{said.rstrip('.')}. See {address}"
    return said
