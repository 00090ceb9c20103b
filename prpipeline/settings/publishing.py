"""Where releases go beyond the data folder: a bucket of S3 or of what speaks like it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from prpipeline.settings.errors import ConfigurationError
from prpipeline.settings.github import is_here
from prpipeline.settings.section import Section

VARIABLE = "PRPIPELINE_PUBLISH_TO"


class BucketPlace(Section, frozen=True, kw_only=True):
    """A bucket and the folder in it; credentials and endpoint are AWS's own variables and files."""

    bucket: str
    prefix: str = ""  # ends with a slash unless it is empty

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}".rstrip("/")


def publish_to(env: Mapping[str, str]) -> BucketPlace | None:
    """Read ``PRPIPELINE_PUBLISH_TO``. Raises ConfigurationError."""
    text = env.get(VARIABLE, "")
    return bucket_place(text, VARIABLE) if text else None


def pull_from(text: str, env: Mapping[str, str]) -> BucketPlace | str:
    """Where to fetch releases from: ``s3://…``, or ``https://…`` as it is. Raises ConfigurationError."""
    if not text.startswith(("https://", "http://")):
        return bucket_place(text, "URL", more=" or https://…")
    try:
        host = urlsplit(text).hostname
    except ValueError:
        host = None
    if not host or not text.isprintable() or " " in text or "#" in text:
        raise ConfigurationError("URL is not an address; write s3://BUCKET/PREFIX or https://….")
    is_trusted = is_here(host) or env.get("PRPIPELINE_ALLOW_HTTP", "") in {"1", "true", "yes"}
    if text.startswith("http://") and not is_trusted:
        raise ConfigurationError(
            "URL is plain http, so that anybody on the way could change what is fetched; use https, or set "
            "PRPIPELINE_ALLOW_HTTP=1 where the network is trusted."
        )
    return text


def bucket_place(text: str, named: str, more: str = "") -> BucketPlace:
    """The place of ``s3://bucket/prefix``; ``named`` is what to call it in an error. Raises ConfigurationError."""
    try:
        parts = urlsplit(text)
        has_user = "@" in parts.netloc
    except ValueError:
        parts, has_user = urlsplit(""), False
    if has_user:
        raise ConfigurationError(
            f"{named} holds a user name or password; put keys into AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
        )
    is_bucket = re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9]", parts.netloc)
    if parts.scheme != "s3" or not is_bucket or parts.query or parts.fragment or not text.isprintable():
        raise ConfigurationError(f"{named} is not the address of a bucket; write s3://BUCKET/PREFIX{more}.")
    prefix = parts.path.strip("/")
    return BucketPlace(bucket=parts.netloc, prefix=f"{prefix}/" if prefix else "")
