"""Cells run in a real IPython shell; what is captured of them, run in a fresh process."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

from bento_jupyter.capture.parts import Loader
from bento_jupyter.capture.source import CodeCapture
from bento_jupyter.errors import NotServableError


@contextmanager
def main_kept() -> Iterator[None]:
    """IPython puts its own `__main__` into `sys.modules`."""
    before = sys.modules["__main__"]
    path = list(sys.path)
    try:
        yield
    finally:
        sys.modules["__main__"] = before
        sys.path[:] = path


@dataclass
class Notebook:
    """A shell that cells were run in."""

    shell: InteractiveShell

    def run(self, *cells: str) -> Notebook:
        for cell in cells:
            self.shell.run_cell(textwrap.dedent(cell).strip("\n"), store_history=True).raise_error()
        return self

    def __getitem__(self, name: str) -> Any:
        return self.shell.user_ns[name]

    def capture(self, *names: str) -> CodeCapture:
        capture = CodeCapture(self.shell.user_ns)
        for name in names:
            capture.add_value(name, self[name], "the endpoint")
        return capture

    def eval(self, expression: str) -> Any:
        return eval(expression, self.shell.user_ns)


def notebook(*cells: str) -> Notebook:
    shell = InteractiveShell(config=Config({"HistoryManager": {"hist_file": ":memory:"}}))
    return Notebook(shell).run(*cells)


def served(capture: CodeCapture, expressions: list[str], folder: Path, *, strict: bool = True) -> list[str]:
    """`repr` of expressions, evaluated in a fresh process in the captured module."""
    if strict:
        assert not capture.objects, capture.objects
    return run_source(capture, capture.source({}), expressions, folder)


def run_source(
    capture: CodeCapture, text: str, expressions: list[str], folder: Path, prepare: str = ""
) -> list[str]:
    project = folder / "project"
    project.mkdir(exist_ok=True)
    (project / "notebook_code.py").write_text(text, encoding="utf-8")
    for module in capture.modules:
        for name, path in module.files.items():
            target = project / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    program = (
        f"import sys, json\nsys.path.insert(0, {str(project)!r})\nimport notebook_code\n{prepare}\n"
        f"scope = vars(notebook_code)\n"
        f"print(json.dumps([repr(eval(e, scope)) for e in {expressions!r}]))"
    )
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir(exist_ok=True)
    done = subprocess.run(
        [sys.executable, "-I", "-c", program],
        capture_output=True,
        text=True,
        cwd=elsewhere,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, f"{done.stderr}\n{text}"
    found: list[str] = json.loads(done.stdout.splitlines()[-1])
    return found


def assert_same(book: Notebook, roots: list[str], expressions: list[str], folder: Path) -> CodeCapture:
    """The captured roots answer in a fresh process as they do in the notebook, where nothing has changed."""
    before = dict(book.shell.user_ns)
    capture = book.capture(*roots)
    answers = served(capture, expressions, folder)
    assert dict(book.shell.user_ns).keys() == before.keys()
    assert answers == [repr(book.eval(expression)) for expression in expressions], capture.source({})
    return capture


def refusal(book: Notebook, *names: str) -> NotServableError:
    """The refusal of capturing names."""
    with pytest.raises(NotServableError) as caught:
        book.capture(*names).source({})
    assert caught.value.hint
    return caught.value


def pickle_loader(name: str) -> Loader:
    return Loader(("import pickle",), f'pickle.loads((folder / "{name}.pkl").read_bytes())')
