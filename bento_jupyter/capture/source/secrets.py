"""What looks like a secret: it is never written into a project."""

from __future__ import annotations

import itertools
import math
import os
import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

__all__ = ["looks_secret", "secret_in_text"]

#: Words of names that hold secrets, as whole words of snake_case, camelCase or SHOUTING.
NAME = re.compile(
    r"(?:^|_)(?:pass(?:wd|word|phrase|code)?|pwd|secrets?|credentials?|creds|bearer|"
    r"(?:api|access|private|secret|auth|account|encryption|signing|subscription|service|client|app|master|ssh)_?keys?|"
    r"apikey|(?:api|access|auth|bearer|refresh|id|session|bot|hf|github|slack|client|secret|security|oauth|jwt)_?tokens?|"
    r"token|key|dsn|connection_?string)(?:$|_\d*$|_(?:prod|dev|test|staging|value|str|id))",
    re.IGNORECASE,
)
#: Names that contain such a word and hold none.
INNOCENT = re.compile(
    r"(?:^|_)(?:public|primary|foreign|sort|sorting|group|join|index|lookup|dict|map|cache|partition|random|row|column|col|pad|eos|bos|unk|sep|cls|mask|special|stop|start|end|n|num|max|min|word|sub|json|name|tokenizer)_?(?:keys?|tokens?)(?:$|_)",
    re.IGNORECASE,
)
#: Tokens whose issuer gave them a form.
FORMS = (
    (re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"), "an AWS access key"),
    (re.compile(r"\bgh[pousr]_[A-Za-z0-9]{20,}"), "a GitHub token"),
    (re.compile(r"\bgithub_pat_[A-Za-z0-9_]{20,}"), "a GitHub token"),
    (re.compile(r"\bglpat-[A-Za-z0-9_-]{16,}"), "a GitLab token"),
    (re.compile(r"\bsk-(?:[a-z]+-)*[A-Za-z0-9_-]{16,}"), "an API key (sk-...)"),
    (re.compile(r"\b[sr]k_(?:live|test)_[A-Za-z0-9]{10,}"), "a Stripe key"),
    (re.compile(r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}"), "a Slack token"),
    (re.compile(r"\bhf_[A-Za-z0-9]{20,}"), "a Hugging Face token"),
    (re.compile(r"\bAIza[0-9A-Za-z_-]{30,}"), "a Google API key"),
    (re.compile(r"\bya29\.[0-9A-Za-z_-]{20,}"), "a Google token"),
    (re.compile(r"\bpypi-[A-Za-z0-9_-]{30,}"), "a PyPI token"),
    (re.compile(r"\bdapi[0-9a-f]{32}\b"), "a Databricks token"),
    (re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}"), "a JSON web token"),
    (re.compile(r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----"), "a private key"),
    (
        re.compile(
            r"\b[a-z][a-z0-9+.-]*://[^\s/:@'\"{}<>]+:(?!\*+@|<|\{|\$|x+@|password@|pass@)[^\s/@'\"{}<>]+@"
        ),
        "an address with a password",
    ),
    (
        re.compile(r"(?i)\b(?:password|pwd)=(?!\s|\{|\$|<|\*|%)[^\s;'\"]{4,};"),
        "a connection string with a password",
    ),
)
#: Values that only stand where a secret will be, as in `TOKEN = "changeme"`: no secrets by themselves.
PLACEHOLDER = re.compile(
    r"(?i)^(?:|none|null|todo|changeme|change[-_ ]me|x+|\*+|\.+|-+|<.*>|\{.*\}|\$.*|your[-_ ].*|my[-_ ].*|"
    r".*example.*|placeholder|dummy|test|fake|secret|password|token|key|api[-_]?key)$"
)
#: Names of what is public and looks random: content hashes, commits.
HASH_NAME = re.compile(
    r"(?:^|_)(?:hash|digest|checksum|fingerprint|etag|sha_?\d*|md5|commit|revision|rev|git|uuid|guid)(?:$|_)",
    re.IGNORECASE,
)
HASH = re.compile(r"(?:sha\d+:|md5:)?[0-9a-fA-F]{32,128}")
ENTROPY_BITS = 4.0
HEX_BITS = 3.3


def looks_secret(name: str, value: Any) -> str:
    """Why a value looks like a secret; "" when it does not.

    Args:
        name: Name it goes by; "" = none.
        value: Any value; only text can be a secret.

    Example:
        >>> looks_secret("api_key", "live-51Hx9")
        "its name says so: 'api_key'"
        >>> looks_secret("sort_key", "date")
        ''
    """
    if isinstance(value, (bytes, bytearray)):
        try:
            value = bytes(value).decode()
        except UnicodeDecodeError:
            return ""
    if hasattr(value, "get_secret_value"):  # pydantic
        return "it is a pydantic secret"
    if not isinstance(value, str) or not value.strip():
        return ""
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
    is_hash = HASH_NAME.search(words) and not NAME.search(words) and HASH.fullmatch(value)
    reason = "" if is_hash else secret_in_text(value)
    if reason:
        return reason
    if len(value) >= 6 and _equals_environment(value):
        return "it is the value of an environment variable that holds a secret"
    if NAME.search(words) and not INNOCENT.search(words) and _could_be_secret(words, value):
        return f"its name says so: {name!r}"
    return ""


def secret_in_text(text: str) -> str:
    """Why a text (a literal, a comment, a docstring) looks as if there was a secret in it; "" if not."""
    for form, what in FORMS:
        if form.search(text):
            return f"it has the form of {what}"
    for word in re.findall(r"[A-Za-z0-9+/_=-]{32,}", text):
        if _random(word):
            return "it is a long random text"
    return ""


def _could_be_secret(name: str, value: str) -> bool:
    if PLACEHOLDER.match(value.strip()):
        return False
    if re.search(r"(?i)(?:^|_)(?:key|token|id)(?:$|_)", name) and not re.search(
        r"(?i)(?:api|access|private|secret|auth|bearer)", name
    ):
        # `key = "date"`, `token = "<pad>"` are words; a secret has digits or is no word at all.
        return (len(value) >= 8 and not re.fullmatch(r"[\w .:/-]*[a-z][\w .:/-]*", value)) or bool(
            len(value) >= 12
            and re.search(r"\d", value)
            and re.search(r"[A-Za-z]", value)
            and " " not in value
        )
    return " " not in value.strip() or len(value.split()) <= 3


def _random(word: str) -> bool:
    """Whether a long word is too irregular to be a name, a path or an English text."""
    if not (re.search(r"\d", word) and re.search(r"[A-Za-z]", word)) or len(set(word)) < 10:
        return False
    counts = Counter(word)
    bits = -sum(n / len(word) * math.log2(n / len(word)) for n in counts.values())
    if re.fullmatch(r"[0-9a-fA-F]+", word):
        return bits >= HEX_BITS
    # Names that people make up are joined by _, -, / or =, and have no digits mixed into their words.
    parts = [part for part in re.split(r"[-_/=+]", word) if part]
    switches = sum(
        a.isdigit() != b.isdigit() or (a.islower() and b.isupper())
        for part in parts
        for a, b in itertools.pairwise(part)
    )
    return bits >= ENTROPY_BITS and switches >= len(word) / 6


def _equals_environment(value: str, environment: Mapping[str, str] | None = None) -> bool:
    for name, known in (os.environ if environment is None else environment).items():
        if known == value and NAME.search(name) and not INNOCENT.search(name):
            return True
    return False
