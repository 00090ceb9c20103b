"""Titles of the sample pull requests: plain ones, and such as break careless programs."""

from __future__ import annotations

SUBJECTS = (
    "Add retry to the uploader", "Fix race in scheduler", "Speed up cold start", "Document the config file",
    "Drop Python 3.10", "Handle empty responses", "Refactor telemetry", "Make timeouts configurable",
    "Cache parsed manifests", "Split the billing module", "Tighten input validation", "Use UTC everywhere",
    "Paginate the audit log", "Add dark mode", "Remove dead code", "Improve error messages",
    "Support Windows paths", "Stream large exports", "Reduce memory use", "Test the migration",
)  # fmt: skip
HARD_TITLES = (
    'Revert "Speed up cold start"',
    "Hotfix: do not drop the last row",
    "HOTFIX restore login 🚑",
    "<script>alert('title')</script> & <b>escape</b> me",
    "`code` **bold** [link](javascript:alert(1)) | pipe | # heading",
    "Fix 'quotes', \"double\" and \\backslashes\\; DROP TABLE pull_requests;--",
    "دعم اللغة العربية في الواجهة",
    "תמיכה בעברית \u202eRTL override\u202c",
    "修复时区错误 🕒 in 東京",
    '=HYPERLINK("https://example.com") is not a formula',
    "Zero\u200bwidth and combining e\u0301",
    "A title that is very long " + "and goes on " * 18,
)
