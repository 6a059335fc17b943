"""Tables and cards of rows: the two shapes in which everything is shown."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any

__all__ = ["JSON_TYPE", "Note", "Table", "card_bundle"]

#: For programs. Plain `application/json` would be shown instead of the HTML: JupyterLab prefers it.
JSON_TYPE = "application/vnd.bento-jupyter.v1+json"
_FONT = "font-family:var(--jp-ui-font-family,sans-serif);font-size:var(--jp-ui-font-size1,13px);"
_INK = "color:var(--jp-ui-font-color1,inherit);"
_LINE = "var(--jp-border-color2,#bbb)"


class Table:
    """Rows under headings, shown as text, HTML and JSON; also a sequence of its rows.

    Args:
        columns: Headings.
        rows: One sequence of cells per row.
        empty: What to say when there are no rows.

    Example:
        >>> print(Table(["name", "size"], [["iris", "1 KiB"]]))
        name  size
        iris  1 KiB
    """

    def __init__(
        self, columns: Sequence[str], rows: Sequence[Sequence[Any]], *, empty: str = "nothing"
    ) -> None:
        self.columns = list(columns)
        self.rows = [[str(cell) for cell in row] for row in rows]
        self.empty = empty

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> dict[str, str]:
        return dict(zip(self.columns, self.rows[index], strict=True))

    def __str__(self) -> str:
        if not self.rows:
            return self.empty
        widths = [max(len(row[i]) for row in [self.columns, *self.rows]) for i in range(len(self.columns))]
        lines = [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
            for row in [self.columns, *self.rows]
        ]
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        if not self.rows:
            html = f'<div style="{_FONT}{_INK}">{escape(self.empty)}</div>'
        else:
            cell = f"text-align:left;padding:4px 12px 4px 0;border-bottom:1px solid {_LINE};"
            head = "".join(f'<th scope="col" style="{cell}">{escape(column)}</th>' for column in self.columns)
            body = "".join(
                '<tr style="background:none">'
                + "".join(f'<td style="{cell}">{_linked(text)}</td>' for text in row)
                + "</tr>"
                for row in self.rows
            )
            html = (
                f'<table style="{_FONT}{_INK}border-collapse:collapse">'
                f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
            )
        return {
            "text/plain": str(self),
            "text/html": html,
            JSON_TYPE: [self[index] for index in range(len(self))],
        }


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


def card_bundle(title: str, badge: str, rows: Sequence[tuple[str, str]], data: Any) -> dict[str, Any]:
    """A card: title, a badge beside it, and labelled rows.

    Args:
        title: Plain text.
        badge: Plain text, e.g. icon and status word.
        rows: Label and value; those with an empty value are left out.
        data: What the JSON form holds.

    Returns:
        A mimebundle for `_repr_mimebundle_`.
    """
    kept = [(label, value) for label, value in rows if value]
    width = max((len(label) for label, _ in kept), default=0)
    lines = [f"{title}  {badge}".rstrip()]
    for label, value in kept:
        first, *more = value.splitlines()
        lines.append(f"  {label.ljust(width)}  {first}")
        lines += [f"  {' ' * width}  {line}" for line in more]
    label_style = "text-align:left;vertical-align:top;font-weight:normal;opacity:.75;padding:2px 16px 2px 0;"
    body = "".join(
        f'<tr style="background:none"><th scope="row" style="{label_style}">{escape(label)}</th>'
        f'<td style="text-align:left;padding:2px 0;white-space:pre-wrap">{_linked(value)}</td></tr>'
        for label, value in kept
    )
    html = (
        f'<div style="{_FONT}{_INK}border:1px solid {_LINE};border-radius:4px;'
        'padding:8px 12px;max-width:44em">'
        f'<div style="margin-bottom:4px"><strong>{escape(title)}</strong> <span>{escape(badge)}</span></div>'
        f'<table style="border-collapse:collapse;{_INK}{_FONT}"><tbody>{body}</tbody></table></div>'
    )
    return {"text/plain": "\n".join(lines), "text/html": html, JSON_TYPE: data}


def _linked(text: str) -> str:
    """HTML of a value; one that is nothing but a URL becomes a link."""
    if text.startswith(("http://", "https://")) and not any(char.isspace() for char in text):
        href = escape(text, quote=True)
        return f'<a href="{href}" target="_blank" rel="noopener noreferrer">{href}</a>'
    return escape(text)
