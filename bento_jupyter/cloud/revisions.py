"""What differs between two revisions, field by field, without values of environment variables. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..insight import RevisionChange, RevisionView
from .store import RevisionRecord

__all__ = ["changes", "describe_revisions"]

#: Lists of pairs, which are compared by the first of the two; values of the hidden ones are not shown.
PAIRS = {"envs": ("name", "value"), "labels": ("key", "value")}
HIDDEN = frozenset({"envs"})


class _Hidden:
    """A value that can be compared and is not shown."""

    def __init__(self, value: Any) -> None:
        self._value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Hidden) and other._value == self._value

    __hash__ = None  # type: ignore[assignment]


def describe_revisions(records: Sequence[RevisionRecord]) -> list[RevisionView]:
    """Revisions, oldest first, each with what differs from the one before."""
    before: Sequence[RevisionRecord | None] = [None, *records]
    return [
        RevisionView(
            number=record.number,
            active=record.active,
            bento=record.bento,
            note=record.note,
            created_at=record.created_at,
            changes=changes(earlier, record) if earlier is not None else [],
        )
        for earlier, record in zip(before, records, strict=False)
    ]


def changes(before: RevisionRecord, after: RevisionRecord) -> list[RevisionChange]:
    """The fields in which two revisions differ, by name."""
    old, new = _fields(before), _fields(after)
    return [_change(field, old, new) for field in sorted({*old, *new}) if not _same(field, old, new)]


def _fields(record: RevisionRecord) -> dict[str, Any]:
    return {"bento": record.bento, **dict(_flat(record.config, ""))}


def _flat(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """The leaves of a configuration with their paths; nulls and empty ones say nothing."""
    last = path.rpartition(".")[2]
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _flat(item, f"{path}.{key}" if path else str(key))
    elif last in PAIRS and isinstance(value, list):
        key, content = PAIRS[last]
        for item in value:
            shown = item.get(content)
            yield f"{path}.{item[key]}", _Hidden(shown) if last in HIDDEN else shown
    elif value is not None and value != []:
        yield path, value


def _same(field: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    return field in old and field in new and bool(old[field] == new[field])


def _change(field: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> RevisionChange:
    kind = "added" if field not in old else "removed" if field not in new else "changed"
    return RevisionChange(
        field=field, change=kind, before=_shown(old.get(field)), after=_shown(new.get(field))
    )


def _shown(value: Any) -> Any:
    return None if isinstance(value, _Hidden) else value
