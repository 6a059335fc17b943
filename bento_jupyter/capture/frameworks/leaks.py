"""Texts inside objects that look like secrets."""

from __future__ import annotations

import functools
import re

from ..source.secrets import FORMS, looks_secret

__all__ = ["secret_in"]

#: What `looks_secret` says of texts that nothing but their disorder speaks against.
RANDOM = "random text"


def secret_in(name: str, text: str, *, strict: bool) -> str:
    """Why a text inside an object looks like a secret; "" when it does not.

    Args:
        name: Attribute or key it is under; "" = none, then only the forms that issuers give their tokens
            count: objects are full of texts that are learnt, such as vocabularies.
        text: The text.
        strict: Whether disorder is reason enough. It is not for objects of libraries, which keep digests.
    """
    if not name:
        return (
            next((what for form, what in FORMS if form.search(text)), "") if any_form().search(text) else ""
        )
    reason = looks_secret(name, text)
    return "" if RANDOM in reason and not strict else reason


@functools.lru_cache(maxsize=1)
def any_form() -> re.Pattern[str]:
    """All forms of tokens as one pattern: a vocabulary has a million texts."""
    patterns = [form.pattern for form, _ in FORMS]
    return re.compile(
        "|".join(f"(?i:{text[4:]})" if text.startswith("(?i)") else f"(?:{text})" for text in patterns)
    )
