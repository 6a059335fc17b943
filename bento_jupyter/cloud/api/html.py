"""HTML by hand, escaped by construction: elements, and the layout that all pages have. No scripts."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable
from html import escape
from typing import TypeAlias

from starlette.responses import HTMLResponse, Response

__all__ = ["Content", "Html", "page", "table", "tag", "text"]


class Html(str):
    """Markup that is complete and safe; any other text is escaped when it comes into an element."""

    __slots__ = ()


#: What can be in an element: text, markup, nothing, or some of these.
Content: TypeAlias = "str | Html | Iterable[Content] | None"

NUMBER = re.compile(r"[\d.]+( ?[A-Za-z%]+)?")
VOID = frozenset({"input", "meta", "br", "link"})

STYLE = """
:root{color-scheme:light dark;--text:#1b1b1f;--soft:#5b5f6b;--line:#d8dae0;--back:#fff;--card:#f6f7f9;
--good:#1a7f37;--bad:#c62828;--wait:#9a6700;--link:#0b57d0;--one:#0b57d0;--two:#c2410c;--three:#7c3aed}
@media(prefers-color-scheme:dark){:root{--text:#e6e7ea;--soft:#a0a5b1;--line:#3a3d45;--back:#16171a;
--card:#202226;--good:#4ac26b;--bad:#ff7b72;--wait:#d8a62a;--link:#8ab4f8;--one:#8ab4f8;--two:#ff9e64;
--three:#c4a7ff}}
*{box-sizing:border-box}
body{font:15px/1.5 system-ui,sans-serif;color:var(--text);background:var(--back);max-width:72rem;
margin:0 auto;padding:1rem 1.25rem 4rem}
nav{display:flex;gap:1.25rem;border-bottom:1px solid var(--line);padding:.25rem 0 .6rem;margin-bottom:1rem}
nav strong{margin-right:auto}
a{color:var(--link)}h1{font-size:1.6rem;margin:.6rem 0}h2{font-size:1.15rem;margin:2rem 0 .6rem}
h3{font-size:1rem;margin:1.2rem 0 .3rem}h3 code{font-size:15px}
.scroll{overflow-x:auto}
table{border-collapse:collapse;min-width:50%}caption{text-align:left;color:var(--soft);padding-bottom:.3rem}
td,th{text-align:left;padding:.35rem .9rem .35rem 0;border-bottom:1px solid var(--line);vertical-align:top}
thead th{color:var(--soft);font-weight:600;white-space:nowrap}
td.number{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.3rem 1.2rem;margin:0 0 1rem}
dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}
.badge{display:inline-block;border:1px solid currentColor;border-radius:1rem;padding:0 .7rem;font-weight:600}
time,.badge{white-space:nowrap}.good{color:var(--good)}.bad{color:var(--bad)}.wait{color:var(--wait)}.soft{color:var(--soft)}
.row{display:flex;flex-wrap:wrap;gap:.6rem;align-items:center}
form{margin:0}ul.row{list-style:none;padding:0}
td ul{margin:0;padding-left:1rem}
button,input,select{font:inherit;padding:.3rem .7rem;border:1px solid var(--line);
border-radius:.4rem;background:var(--card);color:var(--text)}button{cursor:pointer}
:focus-visible{outline:3px solid var(--link);outline-offset:2px}
pre{background:var(--card);border:1px solid var(--line);border-radius:.4rem;padding:.7rem;overflow:auto;
max-height:32rem;display:flex;flex-direction:column-reverse;
font:13px/1.45 ui-monospace,monospace;white-space:pre-wrap;overflow-wrap:anywhere}
code{font:13px ui-monospace,monospace}
.charts{display:grid;grid-template-columns:repeat(auto-fill,minmax(21rem,1fr));gap:1rem}
figure{margin:0;background:var(--card);border:1px solid var(--line);border-radius:.4rem;padding:.7rem}
figcaption{font-weight:600}svg{width:100%;height:auto;display:block}
svg text{font:10px system-ui,sans-serif;fill:var(--soft)}svg .grid{stroke:var(--line)}
svg .line{fill:none;stroke-width:1.6;vector-effect:non-scaling-stroke}
.one{stroke:var(--one);color:var(--one)}.two{stroke:var(--two);color:var(--two)}
.three{stroke:var(--three);color:var(--three)}
ul.legend{display:flex;flex-wrap:wrap;gap:.2rem 1rem;list-style:none;padding:0;margin:.2rem 0 0;
font-size:13px;color:var(--soft)}ul.legend span{font-weight:700}
""".replace("\n", "")
_STYLE_HASH = "sha256-" + base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
_HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": (
        f"default-src 'none'; style-src '{_STYLE_HASH}'; form-action 'self'; "
        "frame-ancestors 'none'; base-uri 'none'"
    ),
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


def text(content: Content) -> Html:
    """Content as markup: what is not markup yet is escaped."""
    if content is None:
        return Html("")
    if isinstance(content, Html):
        return content
    if isinstance(content, str):
        return Html(escape(content))
    return Html("".join(text(each) for each in content))


def tag(name: str, /, *content: Content, **attributes: str | int | bool | None) -> Html:
    """An element.

    Args:
        name: Of the element.
        *content: What is in it.
        **attributes: Its attributes; a trailing `_` is dropped, other `_` are `-`; True = without a value,
            False or None = left out.

    Example:
        >>> tag("a", "<here>", href="/x", class_="soft")
        '<a href="/x" class="soft">&lt;here&gt;</a>'
    """
    written = "".join(
        f" {_attribute(key)}" if value is True else f' {_attribute(key)}="{escape(str(value))}"'
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    opened = f"<{name}{written}>"
    return Html(opened if name in VOID else f"{opened}{text(content)}</{name}>")


def _attribute(key: str) -> str:
    return key if key == "viewBox" else key.rstrip("_").replace("_", "-")


def table(caption: str, heads: Iterable[str], rows: Iterable[Iterable[Content]]) -> Html:
    """A table; numbers are set to the right. Without rows a line that says so."""
    lines = [[_cell(each) for each in row] for row in rows]
    if not lines:
        return tag("p", f"{caption}: none.", class_="soft")
    head = tag("thead", tag("tr", [tag("th", each, scope="col") for each in heads]))
    body = tag("tbody", [tag("tr", line) for line in lines])
    return tag("div", tag("table", tag("caption", caption), head, body), class_="scroll", tabindex=0)


def _cell(content: Content) -> Html:
    is_plain = isinstance(content, str) and not isinstance(content, Html)
    is_number = is_plain and NUMBER.fullmatch(str(content)) is not None
    return tag("td", content, class_="number" if is_number else None)


def page(title: str, *content: Content, status: int = 200, navigation: bool = True) -> Response:
    """A whole page.

    Args:
        title: Its heading.
        *content: What is below it.
        status: Status of the answer.
        navigation: Whether it leads to the other pages.
    """
    links = [tag("a", "Deployments", href="/deployments"), tag("a", "API", href="/docs")]
    body = [
        tag("nav", tag("strong", "bento_jupyter"), links if navigation else None, aria_label="Pages"),
        tag("main", tag("h1", title), content),
    ]
    html = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)} - bento_jupyter</title><style>{STYLE}</style></head>"
        f"<body>{text(body)}</body></html>"
    )
    return HTMLResponse(html, status, headers=_HEADERS)
