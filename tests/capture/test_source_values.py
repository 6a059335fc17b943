"""Values that become code are exact, and secrets are never among them."""

# ruff: noqa: E501 - cells are easier to read on one line

from __future__ import annotations

import datetime
import decimal
import enum
import fractions
import functools
import math
import pathlib
import re
import uuid
import zoneinfo
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from capture.source_cells import main_kept, notebook, served
from hypothesis import given, settings
from hypothesis import strategies as st

from bento_jupyter.capture.source import CodeCapture, looks_secret
from bento_jupyter.capture.source.literals import NotLiteral, literal

SCOPE: dict[str, Any] = {
    "np": np,
    "re": re,
    "datetime": datetime,
    "zoneinfo": zoneinfo,
    "Decimal": decimal.Decimal,
}
SCOPE |= {
    "UUID": uuid.UUID,
    "Fraction": fractions.Fraction,
    "Path": pathlib.Path,
    "partial": functools.partial,
    "max": max,
}


def name_of(value: Any) -> str:
    for name, known in SCOPE.items():
        if known is value:
            return name
    raise NotLiteral("unknown")


def same(one: Any, other: Any) -> bool:
    """Equal, of equal types, in equal order; not-a-number equals itself."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return len(one) == len(other) and all(
            same(a, b) and same(one[a], other[b]) for a, b in zip(one, other, strict=True)
        )
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, (set, frozenset)):
        return sorted(map(repr, one)) == sorted(map(repr, other))
    if isinstance(one, float):
        return math.copysign(1, one) == math.copysign(1, other) and (
            one == other or (one != one and other != other)
        )
    if isinstance(one, (complex, np.generic)):
        return repr(one) == repr(other)
    if isinstance(one, (datetime.datetime, datetime.time)):
        return one == other and one.fold == other.fold and repr(one.tzinfo) == repr(other.tzinfo)
    return bool(one == other)


ZONES = (
    st.none()
    | st.just(datetime.timezone.utc)
    | st.timedeltas(datetime.timedelta(hours=-23), datetime.timedelta(hours=23)).map(datetime.timezone)
    | st.sampled_from(["Europe/Berlin", "Asia/Tokyo"]).map(zoneinfo.ZoneInfo)
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.complex_numbers(allow_nan=False)
    | st.text(max_size=30)
    | st.binary(max_size=30)
    | st.just(...)
    | st.datetimes(timezones=ZONES, allow_imaginary=False)
    | st.dates()
    | st.times()
    | st.timedeltas()
    | st.decimals(allow_nan=False)
    | st.fractions()
    | st.uuids()
    | st.builds(range, st.integers(-9, 9), st.integers(-9, 9), st.sampled_from([-2, 1, 3]))
    | st.sampled_from([pathlib.Path("a/b"), pathlib.Path("/x"), max])
    | st.integers(-128, 127).map(np.int8)
    | st.floats(width=32).map(np.float32)
    | st.floats(width=16).map(np.float16)
    | st.floats().map(np.float64)
    | st.booleans().map(np.bool_)
    | st.text(alphabet="abc", max_size=5).map(np.str_)
    | st.datetimes(min_value=datetime.datetime(1970, 1, 2)).map(lambda d: np.datetime64(d, "us"))
)
HASHABLE = st.integers() | st.text(max_size=8) | st.tuples(st.booleans(), st.floats(allow_nan=False))
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(inner, inner)
        | st.tuples(inner)
        | st.dictionaries(HASHABLE, inner, max_size=4)
        | st.sets(HASHABLE, max_size=4)
        | st.frozensets(HASHABLE, max_size=3)
    ),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None)
@given(VALUES)
def test_a_literal_reads_back_as_the_same_value(value: Any) -> None:
    text = literal([value], name_of)
    assert same(eval(text, dict(SCOPE)), [value]), text


@pytest.mark.parametrize(
    "value",
    [
        re.compile("a+", re.IGNORECASE | re.ASCII),
        re.compile(b"x"),
        np.dtype("float32"),
        np.dtype("<M8[ns]"),
        np.datetime64("NaT", "s"),
        np.timedelta64(5, "m"),
        np.complex64(1 - 2j),
        np.uint64(2**64 - 1),
        decimal.Decimal("-0.00"),
        float("-inf"),
        slice(1, None, 2),
        bytearray(b"ab"),
        functools.partial(max, 3, key=abs),
        datetime.timezone(datetime.timedelta(hours=1), "CET"),
        datetime.datetime(2024, 10, 27, 2, 30, fold=1, tzinfo=zoneinfo.ZoneInfo("Europe/Berlin")),
    ],
    ids=repr,
)
def test_special_values_read_back(value: Any) -> None:
    again = eval(literal(value, lambda v: "abs" if v is abs else name_of(v)), {**SCOPE, "abs": abs})
    assert type(again) is type(value)
    assert repr(again) == repr(value)


@pytest.mark.parametrize(
    "value", [[0] * 3000, "x" * 5000, object(), np.zeros(3), np.longdouble(1) / 3, [object()]], ids=type
)
def test_large_or_living_values_are_no_literals(value: Any) -> None:
    with pytest.raises(NotLiteral):
        literal(value, name_of)


def test_a_value_that_holds_itself_is_no_literal() -> None:
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(NotLiteral):
        literal(loop, name_of)


class Color(enum.Enum):
    RED = 1


def test_constants_of_every_kind_are_served_as_they_are(tmp_path: Path) -> None:
    with main_kept():
        book = notebook(
            "import enum, re, datetime as dt\nimport numpy as np\nfrom decimal import Decimal\nfrom pathlib import Path\nfrom uuid import UUID",
            "class Color(enum.Enum):\n    RED = 1\nclass P(enum.Flag):\n    A = 1\n    B = 2",
            """
            V = {'n': np.float32(0.1), 'd': Decimal('1.10'), 'p': Path('a/b'), 't': dt.datetime(2024, 1, 2), Color.RED: P.A | P.B,
                 'f': [len, str.upper, Color], 'inf': float('inf'), 'dt': np.dtype('int8'), 'u': UUID(int=5), 'r': re.compile('x')}
            W = np.float64(2.5)
            T = (1,)
            def f(): return V, W, T
            """,
        )
        capture = book.capture("f")
        assert served(capture, ["f()"], tmp_path) == [repr(book.eval("f()"))]


SECRETS = [
    ("api_key", "sk-proj-abcdEFGH1234567890abcd"),
    ("x", "AKIAIOSFODNN7EXAMPLE"),
    ("DB_URL", "postgresql://admin:hunter2@db.example.com/prod"),
    ("password", "correct horse"),
    ("dbPassword", "hunter2!"),
    ("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYzzzzzzzzzz"),
    ("x", "-----BEGIN RSA PRIVATE KEY-----\nabc"),
    ("x", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"),
    ("slack", "xoxb-123456789012-abcdefghijkl"),
    ("x", "Zx9Kq2Lm8Rt4Vb7Nc1Wd5Yf3Hg6Jp0Qs"),
    ("openai_token", "abc123def456"),
    ("TOKEN", "a8f5f167f44f4964e6c998dee827110c"),
    ("secret", b"hunter2!"),
]
INNOCENT = [
    ("sort_key", "date"),
    ("key", "user id"),
    ("key", "petal_width"),
    ("tokenizer", "bert-base-uncased"),
    ("pad_token", "<pad>"),
    ("eos_token", "</s>"),
    ("token", "hello"),
    ("password", ""),
    ("api_key", "YOUR_API_KEY"),
    ("api_key", "<your key here>"),
    ("max_tokens", "512"),
    ("tokens", "a b c"),
    ("primary_key", "customer_id_2024"),
    ("text", "The quick brown fox jumps over the lazy dog and runs away from 3 wolves"),
    ("path", "/home/user/projects/my_model_v2/checkpoints/epoch_12/model.safetensors"),
    ("url", "https://example.com/api/v1/models?sort=name&limit=100"),
    ("column", "mean_radius_of_the_largest_cell_nucleus_2"),
    ("id", "3f2b1c4d-1111-2222-3333-444455556666"),
    ("alphabet", "abcdefghijklmnopqrstuvwxyz0123456789"),
    ("api_key", 5),
    ("password", None),
]


@pytest.mark.parametrize(("name", "value"), SECRETS, ids=lambda v: str(v)[:20])
def test_secrets_are_seen(name: str, value: Any) -> None:
    assert looks_secret(name, value)


@pytest.mark.parametrize(("name", "value"), INNOCENT, ids=lambda v: str(v)[:20])
def test_ordinary_text_is_no_secret(name: str, value: Any) -> None:
    assert looks_secret(name, value) == ""


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            ["the", "model", "learns", "from", "rows", "of", "data", "and", "answers", "with", "labels"]
        ),
        max_size=30,
    )
)
def test_sentences_are_no_secrets(words: list[str]) -> None:
    assert looks_secret("text", " ".join(words)) == ""
    assert looks_secret("text", "_".join(words)) == ""


@pytest.fixture(autouse=True)
def main() -> Iterator[None]:
    with main_kept():
        yield


def test_a_name_is_asked_for_only_once() -> None:
    book = notebook(
        "import numpy as np\nA = np.float32(1)\nB = [np.float32(2), np.int8(3)]\ndef f(): return A, B"
    )
    capture: CodeCapture = book.capture("f")
    assert capture.imports == ["import numpy as np"]
