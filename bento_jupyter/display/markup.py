"""HTML of what cells show: escaped by construction, styled inline by the theme's variables.

Inline, because a saved notebook may be shown where style sheets are stripped, and because nothing here has an
id or class that could clash. Each variable has a fallback for frontends that have none (VS Code, Colab).
"""

from __future__ import annotations

from html import escape

__all__ = ["BORDER", "FONT", "INK", "MUTED", "Html", "element", "linked", "tone_color", "unseen"]

FONT = "font-family:var(--jp-ui-font-family,sans-serif);font-size:var(--jp-ui-font-size1,13px);"
INK = "color:var(--jp-ui-font-color1,var(--vscode-editor-foreground,inherit));"
MUTED = "color:var(--jp-ui-font-color2,var(--vscode-descriptionForeground,inherit));"
#: The gray of lines, to be seen on white and on black.
BORDER = "var(--jp-border-color2,rgba(128,128,128,.45))"

_TONES = {
    "good": "var(--jp-success-color1,#388e3c)",
    "busy": "var(--jp-info-color1,#0288d1)",
    "bad": "var(--jp-error-color1,#d32f2f)",
    "warn": "var(--jp-warn-color1,#f57c00)",
}
#: Tags without content.
_VOID = frozenset(["line", "rect", "path", "polyline", "circle"])


class Html(str):
    """Text that is HTML already; every other text is escaped when it becomes part of an element."""

    __slots__ = ()


def element(tag: str, *children: str, style: str = "", **attributes: str | float) -> Html:
    """An element.

    Args:
        tag: Its name.
        *children: `Html`, or text, which is escaped.
        style: Its inline style.
        **attributes: Others; `_` becomes `-`.

    Example:
        >>> element("b", "1 < 2", style="color:red")
        '<b style="color:red">1 &lt; 2</b>'
    """
    named = {"style": style, **attributes} if style else attributes
    said = "".join(f' {name.replace("_", "-")}="{escape(_word(value))}"' for name, value in named.items())
    if tag in _VOID:
        return Html(f"<{tag}{said}/>")
    inside = "".join(child if isinstance(child, Html) else escape(child) for child in children)
    return Html(f"<{tag}{said}>{inside}</{tag}>")


def _word(value: str | float) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def linked(text: str) -> Html:
    """A value; one that is nothing but a URL becomes a link."""
    if text.startswith(("http://", "https://")) and not any(char.isspace() for char in text):
        color = "color:var(--jp-content-link-color,var(--vscode-textLink-foreground,LinkText))"
        return element("a", text, style=color, href=text, target="_blank", rel="noopener noreferrer")
    return Html(escape(text))


def tone_color(tone: str) -> str:
    """The theme's color for `good`, `busy`, `warn` or `bad`; that of lines for anything else.

    Color never says alone what a word beside it does not say, too.
    """
    return _TONES.get(tone, BORDER)


def unseen(text: str) -> Html:
    """Words for screen readers only."""
    return element("span", text, style="position:absolute;left:-9999px")
