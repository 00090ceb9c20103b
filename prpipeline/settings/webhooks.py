"""The secrets that deliveries of webhooks are signed with. Only the receiver and who sets up hooks need them."""

from __future__ import annotations

import os
from collections.abc import Mapping

from prpipeline.settings.errors import ConfigurationError, SecretStr

VARIABLE = "PRPIPELINE_WEBHOOK_SECRETS"


def webhook_secrets(environment: Mapping[str, str] | None = None) -> tuple[SecretStr, ...]:
    """The secrets, the newest first; several while one replaces another. Raises ConfigurationError, which shows none.

    An empty one would let anybody sign.
    """
    value = (os.environ if environment is None else environment).get(VARIABLE, "")
    secrets = [part.strip() for part in value.split(",")]
    if secrets == [""]:
        raise ConfigurationError(
            f"{VARIABLE} is not set; set it to the secret of your webhook, such as the output of: openssl rand -hex 32"
        )
    if not all(secrets):
        raise ConfigurationError(
            f"{VARIABLE} holds an empty secret, by which anybody could sign; remove the surplus comma."
        )
    return tuple(SecretStr(secret) for secret in dict.fromkeys(secrets))
