"""How two answers differ, in words: where, what was expected, what was served."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

__all__ = [
    "SAME",
    "Difference",
    "Place",
    "below",
    "differs",
    "first_of",
    "listed",
    "named",
    "placed",
    "shown",
]

#: Longest text of a value in a detail.
SHOWN = 80

#: Where in an answer something is, from the outside in.
Place = tuple[str, ...]


@dataclass(frozen=True)
class Difference:
    """How two answers differ.

    Attributes:
        equal: True when they count as the same.
        max_difference: Largest absolute difference of numbers; inf when they cannot be compared.
        detail: The first place where they differ (field, row, column) and what is there; "" when equal.
    """

    equal: bool
    max_difference: float = 0.0
    detail: str = ""


SAME = Difference(True)


def first_of(found: Iterable[Difference]) -> Difference:
    """Several comparisons as one: the first difference is told, the largest number kept."""
    differences = list(found)
    largest = max((each.max_difference for each in differences), default=0.0)
    for each in differences:
        if not each.equal:
            return Difference(False, largest, each.detail)
    return Difference(True, largest)


def differs(
    place: Place, expected: object, served: object, *, what: str = "", apart: float = math.inf
) -> Difference:
    """A difference at a place, of what was expected and what was served (`what`: of which property)."""
    words = f"{expected} expected, {served} served"
    return Difference(False, apart, placed(place, f"{what} {words}" if what else words))


def placed(place: Place, words: str) -> str:
    """Words, with the place before them."""
    return f"{', '.join(place)}: {words}" if place else words


def below(place: Place, key: Any) -> Place:
    """The place of an item: `at a[2].b`, after where its container is."""
    word = f".{key}" if isinstance(key, str) and key.isidentifier() else f"[{key!r}]"
    if place and place[-1].startswith("at "):
        return (*place[:-1], place[-1] + word)
    return (*place, f"at {word.removeprefix('.')}")


def named(kind: str, value: Any) -> str:
    """What stands there instead of a value of another kind."""
    kinds = ("DataFrame", "Series", "Index", "array", "dict", "list", "set", "image", "sparse matrix")
    if kind not in kinds:
        return shown(value)
    return type(value).__name__ if kind in ("list", "set", "dict") else kind


def listed(values: Any) -> str:
    """Values as a list, not too long."""
    return _shortened(repr(list(values)), 4 * SHOWN)


def shown(value: Any) -> str:
    """One value, not too long."""
    plain = (
        value.item()
        if hasattr(value, "item") and hasattr(value, "dtype") and value.dtype.kind not in "mM"
        else value
    )
    return _shortened(repr(plain), SHOWN)


def _shortened(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit - 4]} ..."
