"""The cases of the corpus: notebooks as small percent-format files, each with what has to come of it.

```
# title: a helper from another cell
# expect: right
# check: [predict(7)]
# %%
def helper(x):
    return x + 1
# %%
def predict(x):
    return helper(x)
# %%
bj.build("case", predict, sample=1)
```

Each line of the comment block at the top is `key: value`; a value in brackets is a list, as YAML writes it.
The cells run in a real kernel in the order of the file, after a first cell `[1]` that loads bento_jupyter as
`bj`; the last one builds.

| key | what it says |
|---|---|
| `title` | the case in words |
| `expect` | `right`, `refused`, or `either`: both are fine as long as nothing is silently wrong |
| `because` | words that the refusal (message and hint) has to contain, each of them |
| `warns` | words that the output of the build, or its plan, has to contain |
| `check` | calls, as Python, that the served Bento has to answer as the kernel does: `clf.predict(X[7:9])` |
| `refuses` | calls that the served Bento has to answer with a 4xx |
| `raises` | calls that raise in the notebook and have to be answered with an error, never with a value |
| `absent` | words that may be in no file of the Bento or its models |
| `largest` | most bytes that the Bento and its models may have |
| `plan` | words that `built.plan` has to contain |
| `needs` | modules without which the case is skipped |
| `order` | names of cells in the order they run: `# %% [a]`; default: as in the file, each once |
| `timeout` | seconds for a cell; 120 |
| `proof` | `none`: there is no object in the notebook to compare with |
| `kernel` | `changes`: the build may change the notebook's variables (calling the function does) |

A cell marked `# %% [a] deleted` runs, and is not in the notebook's document any more when the build runs;
`# %% [a] edited` is the newer text of cell `a` in the document, and has not run.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

__all__ = ["FOLDER", "Case", "Cell", "load_cases", "read_case"]

FOLDER = Path(__file__).with_name("cases")
CELL = re.compile(r"^# %%(?: *\[(?P<name>[^\]]+)\])? *(?P<mark>deleted|edited)? *$")
LISTS = ("because", "warns", "check", "refuses", "raises", "absent", "plan", "needs", "order")
KEYS = {"title", "expect", "largest", "timeout", "proof", "kernel", *LISTS}


@dataclass(frozen=True)
class Cell:
    """A cell.

    Attributes:
        source: Its text.
        name: Its name in `order`; "" = none.
        mark: `deleted`, `edited` or "".
    """

    source: str
    name: str = ""
    mark: str = ""


@dataclass(frozen=True)
class Case:
    """A notebook, and what has to come of building from it; the fields are explained above."""

    name: str
    title: str
    expect: str
    cells: tuple[Cell, ...] = field(repr=False)
    because: tuple[str, ...] = ()
    warns: tuple[str, ...] = ()
    check: tuple[str, ...] = ()
    refuses: tuple[str, ...] = ()
    raises: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    plan: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    order: tuple[str, ...] = ()
    largest: int = 0
    timeout: float = 120
    proof: str = ""
    kernel: str = ""

    @property
    def executed(self) -> list[Cell]:
        """The cells that run, in the order they do."""
        cells = [cell for cell in self.cells if cell.mark != "edited"]
        if not self.order:
            return cells
        named = {cell.name: cell for cell in cells if cell.name}
        return [*(named[name] for name in self.order), cells[-1]]

    @property
    def document(self) -> list[str]:
        """The texts of the notebook as it lies in the editor when the build runs."""
        edited = {cell.name: cell.source for cell in self.cells if cell.mark == "edited"}
        kept = [cell for cell in self.cells if not cell.mark]
        return [edited.get(cell.name, cell.source) if cell.name else cell.source for cell in kept]


def load_cases(*words: str) -> list[Case]:
    """All cases, or those with one of `words` in their name, sorted by name."""
    cases = [read_case(path) for path in sorted(FOLDER.rglob("*.py"))]
    return [case for case in cases if not words or any(word in case.name for word in words)]


def read_case(path: Path) -> Case:
    """Read one case.

    Raises:
        ValueError: It is not written as it should be.
    """
    header: list[str] = []
    cells: list[tuple[re.Match[str], list[str]]] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if found := CELL.match(line):
            cells.append((found, []))
        elif cells:
            cells[-1][1].append(line)
        else:
            header.append(line.removeprefix("#").removeprefix(" "))
    said = dict(map(_entry, filter(None, header)))
    try:
        name = path.relative_to(FOLDER).with_suffix("").as_posix()
    except ValueError:
        name = path.stem
    if unknown := set(said) - KEYS:
        raise ValueError(f"{name}: unknown keys {sorted(unknown)}")
    if said["expect"] not in ("right", "refused", "either"):
        raise ValueError(f"{name}: what is expected?")
    if said["expect"] == "refused" and not said.get("because"):
        raise ValueError(f"{name}: refused because of what?")
    if said["expect"] == "right" and not said.get("check"):
        raise ValueError(f"{name}: checked by what?")
    for key in LISTS:
        value = said.get(key, ())
        said[key] = tuple(map(str, value)) if isinstance(value, list | tuple) else (str(value),)
    read = tuple(
        Cell("\n".join(lines).strip("\n"), found["name"] or "", found["mark"] or "") for found, lines in cells
    )
    case = Case(name, cells=read, **said)
    if unknown := set(case.order) - {cell.name for cell in read}:
        raise ValueError(f"{name}: no cells {sorted(unknown)}")
    return case


def _entry(line: str) -> tuple[str, Any]:
    key, _, text = line.partition(": ")
    return key, yaml.safe_load(text) if text[:1] == "[" or text.isdigit() else text
