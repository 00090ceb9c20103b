"""The HTML document around the content; it needs no other file and loads none.

Content is data, never markup: it is embedded as JSON and Base64, and page/*.js shows it as text. The policy in the document's
head allows only the scripts and styles below, by their hashes.
"""

from __future__ import annotations

import base64
import hashlib
import json
from importlib import resources
from string import Template

from prpipeline.report.content import Content

_LIBRARY = "vendor/echarts.common.min.js"
_SCRIPTS = (
    "format.js", "dom.js", "rows.js", "numbers.js", "view.js", "charts.js", "tables.js", "list.js", "headline.js", "compare.js",
    "waits.js", "trend.js", "spread.js", "flow.js", "issues.js", "people.js", "about.js", "main.js",
)  # fmt: skip
_STYLES = ("report.css",)

# Characters that end a script element or start markup, and the two that older JavaScript reads as line ends.
_UNSAFE = {ord(c): f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"}


def render(content: Content) -> str:
    """The document."""
    library = _read(_LIBRARY)
    script = "(() => {\n'use strict';\n" + "\n".join(_read(f"page/{name}") for name in _SCRIPTS) + "\n})();"
    style = "\n".join(_read(f"page/{name}") for name in _STYLES)
    policy = (
        f"default-src 'none'; script-src {_hash(library)} {_hash(script)}; style-src {_hash(style)}; "
        "base-uri 'none'; form-action 'none'"
    )
    shown = {name: value for name, value in content.items() if name != "rows"}
    return Template(_read("page/report.html")).substitute(
        policy=policy, style=style, library=library, script=script, content=_json(shown), rows=content["rows"]
    )


def _json(content: Content) -> str:
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.translate(_UNSAFE)


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _read(path: str) -> str:
    return resources.files(__package__).joinpath(path).read_text(encoding="utf-8")
