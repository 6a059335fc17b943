"""Tables and cards of rows: the two shapes in which everything is shown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from itertools import zip_longest
from typing import Any, TypeVar

from ..spec import utc_now
from .markup import BORDER, FONT, INK, MUTED, Html, element, linked, tone_color
from .words import moment

__all__ = ["JSON_TYPE", "Listing", "Note", "Table", "as_of", "card_bundle"]

#: For programs. Plain `application/json` would be shown instead of the HTML: JupyterLab prefers it.
JSON_TYPE = "application/vnd.bento-jupyter.v1+json"

#: Characters of a cell that is never broken into lines.
SHORT = 24

T = TypeVar("T")


class Table:
    """Rows under headings, shown as text, HTML and JSON; also a sequence of its rows.

    Args:
        columns: Headings.
        rows: One sequence of cells per row.
        empty: What to say when there are no rows.
        at: As of when it holds; None = it holds for good.

    Example:
        >>> print(Table(["name", "size"], [["iris", "1 KiB"]]))
        name  size
        iris  1 KiB
    """

    def __init__(
        self,
        columns: Sequence[str],
        rows: Sequence[Sequence[Any]],
        *,
        empty: str = "nothing",
        at: datetime | None = None,
    ) -> None:
        self.columns = list(columns)
        self.rows = [[str(cell) for cell in row] for row in rows]
        self.empty = empty
        self.at = at

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> dict[str, str]:
        return dict(zip(self.columns, self.rows[index], strict=True))

    def __str__(self) -> str:
        if not self.rows:
            return "\n".join([self.empty, *([f"as of {moment(self.at)}"] if self.at else [])])
        # A cell of several lines takes several lines; the last column is as wide as it wants to be.
        cells = [[cell.split("\n") for cell in row] for row in [self.columns, *self.rows]]
        widths = [max(len(line) for row in cells for line in row[i]) for i in range(len(self.columns) - 1)]
        lines = [
            "  ".join(part.ljust(width) for part, width in zip(parts, [*widths, 0], strict=True)).rstrip()
            for row in cells
            for parts in zip_longest(*row, fillvalue="")
        ]
        return "\n".join(lines + ([f"as of {moment(self.at)}"] if self.at else []))

    __repr__ = __str__

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return {
            "text/plain": str(self),
            "text/html": str(self._html()),
            JSON_TYPE: [self[index] for index in range(len(self))],
        }

    def _html(self) -> Html:
        if not self.rows:
            return element("div", self.empty, *as_of(self.at), style=FONT + INK)
        cell = f"text-align:left;vertical-align:top;padding:4px 14px 4px 0;border-bottom:1px solid {BORDER};"
        head = [
            element("th", column, style=f"{cell}white-space:nowrap;font-weight:600;", scope="col")
            for column in self.columns
        ]
        body = [
            element(
                "tr",
                *(element("td", linked(text), style=cell + _wrapping(text)) for text in row),
                style="background:none",
            )
            for row in self.rows
        ]
        table = element(
            "table",
            element("thead", element("tr", *head, style="background:none")),
            element("tbody", *body),
            style=f"{FONT}{INK}border-collapse:collapse;",
        )
        return element("div", table, *as_of(self.at), style="overflow-x:auto;" + FONT)


class Listing(list[T]):
    """A list of things that a cell shows as a table.

    Args:
        items: The things.
        columns: What each column says of a thing; the keys are the headings.
        empty: What to say when there are none.

    Example:
        >>> Listing([3, 4], {"number": str, "square": lambda n: n * n})
        number  square
        3       9
        4       16
    """

    def __init__(
        self, items: Iterable[T], columns: Mapping[str, Callable[[T], Any]], *, empty: str = "nothing"
    ) -> None:
        super().__init__(items)
        self._columns = columns
        self._empty = empty
        self._at: datetime | None = None

    def as_of(self, at: datetime | None = None) -> Listing[T]:
        """The same, which says as of when it holds (None = now)."""
        self._at = at or utc_now()
        return self

    @property
    def table(self) -> Table:
        """What is shown."""
        said = {name: [str(say(item)) for item in self] for name, say in self._columns.items()}
        kept = {name: cells for name, cells in said.items() if any(cells)}  # what says nothing takes no room
        return Table(list(kept), list(zip(*kept.values(), strict=True)), empty=self._empty, at=self._at)

    def __repr__(self) -> str:
        return str(self.table)

    __str__ = __repr__

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        bundle = self.table._repr_mimebundle_()
        return {**bundle, JSON_TYPE: [_plain(item) for item in self]}


class Note:
    """One line that says what was done, where there is nothing to hand back.

    Args:
        text: The line.

    Example:
        >>> Note("deployment 'iris' is deleted")
        deployment 'iris' is deleted
    """

    def __init__(self, text: str) -> None:
        self.text = text

    def __repr__(self) -> str:
        return self.text


def card_bundle(
    title: str,
    badge: str,
    rows: Sequence[tuple[str, str]],
    data: Any,
    *,
    tone: str = "",
    at: datetime | None = None,
    picture: Html | None = None,
) -> dict[str, Any]:
    """A card: title, a badge beside it, and labelled rows.

    Args:
        title: Plain text.
        badge: Plain text, e.g. icon and status word.
        rows: Label and value; those with an empty value are left out.
        data: What the JSON form holds.
        tone: Of its edge: see `markup.tone_color`.
        at: As of when it holds; None = it holds for good.
        picture: HTML between title and rows; the rows say all it says.

    Returns:
        A mimebundle for `_repr_mimebundle_`.
    """
    kept = [(label, value) for label, value in rows if value]
    head = element(
        "div",
        element("strong", title),
        " ",
        element("span", badge),
        style="margin-bottom:4px;line-height:1.6",
    )
    parts = [head, *([picture] if picture is not None else []), _rows_html(kept), *as_of(at)]
    edge = f"border:1px solid {BORDER};border-left:4px solid {tone_color(tone)};border-radius:4px;"
    html = element("div", *parts, style=f"{FONT}{INK}{edge}padding:8px 12px;max-width:48em;")
    return {"text/plain": _card_text(title, badge, kept, at), "text/html": str(html), JSON_TYPE: data}


def _card_text(title: str, badge: str, rows: Sequence[tuple[str, str]], at: datetime | None) -> str:
    width = max((len(label) for label, _ in rows), default=0)
    lines = [f"{title}  {badge}".rstrip()]
    for label, value in rows:
        first, *more = value.splitlines()
        lines.append(f"  {label.ljust(width)}  {first}")
        lines += [f"  {' ' * width}  {line}" for line in more]
    return "\n".join(lines + ([f"  as of {moment(at)}"] if at else []))


def _rows_html(rows: Sequence[tuple[str, str]]) -> Html:
    cell = "text-align:left;vertical-align:top;"
    label_style = f"{cell}font-weight:normal;padding:2px 16px 2px 0;white-space:nowrap;{MUTED}"
    value_style = f"{cell}padding:2px 0;white-space:pre-wrap;overflow-wrap:anywhere;"
    body = [
        element(
            "tr",
            element("th", label, style=label_style, scope="row"),
            element("td", linked(value), style=value_style),
            style="background:none",
        )
        for label, value in rows
    ]
    return element("table", element("tbody", *body), style=f"border-collapse:collapse;margin:0;{INK}{FONT}")


def _wrapping(text: str) -> str:
    """A word or a figure stays whole in a narrow cell, a sentence does not."""
    return (
        "white-space:pre;"
        if len(text) <= SHORT
        else "white-space:pre-wrap;overflow-wrap:anywhere;min-width:10em;"
    )


def as_of(at: datetime | None) -> list[Html]:
    """The line that says as of when something holds; nothing for what holds for good."""
    if at is None:
        return []
    return [element("div", f"as of {moment(at)}", style=f"margin-top:4px;font-size:85%;{MUTED}")]


def _plain(item: Any) -> Any:
    """An item as JSON."""
    dump = getattr(item, "model_dump", None)
    if dump is not None:
        return dump(mode="json")
    if isinstance(item, Mapping):
        return {
            key: value.isoformat() if isinstance(value, datetime) else value for key, value in item.items()
        }
    return item if isinstance(item, (str, int, float, bool)) else str(item)
