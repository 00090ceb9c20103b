"""What an API, or whoever answers in its place, says in an answer that holds no data: its words, for people.

Pure. Bodies may be JSON of any shape, pages of HTML, plain text, or nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from html import unescape
from typing import Any

from prpipeline.http.answer import Answer

NO_WORDS = "no explanation"

_LONGEST = 200
_MOST_READ = 20_000  # of a page; what it has to say stands at its beginning
_ADDRESS = re.compile(r"https?://[^\s<>\"'\\)\]]{1,400}")
_UNSHOWN = re.compile(r"<(script|style|head)\b.*?</\1\s*>|<!--.*?-->|<[^<>]*>", re.DOTALL | re.IGNORECASE)
_TITLE = re.compile(r"<title[^<>]*>(.*?)</title", re.DOTALL | re.IGNORECASE)


def json_object(answer: Answer) -> Mapping[str, Any] | None:
    """The body, if it is a JSON object."""
    try:
        body = json.loads(answer.body)
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def is_page(answer: Answer) -> bool:
    """Whether the body is a web page, whatever its headers say."""
    return answer.body[:200].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<")  # as no JSON does


def all_of(answer: Answer) -> str:
    """Everything that the body says, in lower case: the text of a page, or JSON as it is."""
    text = answer.body[:_MOST_READ].decode("utf-8", "replace")
    if is_page(answer):
        text = f"{_title(text)} {unescape(_UNSHOWN.sub(' ', text))}"
    return " ".join(text.lower().split())


def page_title(answer: Answer) -> str:
    """A web page in a few words, with its title."""
    title = shorten(_title(answer.body[:_MOST_READ].decode("utf-8", "replace")))
    return f"a web page, “{title}”" if title else "a web page"


def is_address(text: str) -> bool:
    """Whether a text is a web address and nothing else."""
    return bool(_ADDRESS.fullmatch(text))


def shorten(text: str) -> str:
    """Someone else's words on one line, printable, cut between words; addresses are kept whole, also after the cut."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    if len(line) <= _LONGEST:
        return line
    end = line.rfind(" ", 0, _LONGEST)
    cut = end if end > 0 else _LONGEST - 1
    for address in _ADDRESS.finditer(line):
        if address.start() <= cut < address.end():
            cut = address.end()
    later = [found.group() for found in _ADDRESS.finditer(line, cut)][:2]
    kept = line[:cut].rstrip(" ,;")
    ends_in_address = _ADDRESS.fullmatch(kept.rpartition(" ")[2])
    return " ".join([kept + (" …" if ends_in_address else "…") if cut < len(line) else kept, *later])


def _title(text: str) -> str:
    found = _TITLE.search(text)
    return unescape(found[1]) if found else ""
