"""What cannot go along is refused: with the name, the cell and the line, and how to mend it."""

# ruff: noqa: E501 - cells are easier to read on one line

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from capture.source_cells import assert_same, main_kept, notebook, refusal

from bento_jupyter.capture.source import CodeCapture
from bento_jupyter.errors import NotServableError

#: Cells, root, words of the refusal.
REFUSED: dict[str, tuple[list[str], str, list[str]]] = {
    "an open file": (
        ["fh = open('/dev/null')\ndef f():\n    return fh.read()"],
        "f",
        ["'fh'", "open file", "f", "cell [1], line 3"],
    ),
    "a lock": (
        ["import threading\nlock = threading.Lock()\ndef f():\n    with lock: return 1"],
        "f",
        ["'lock'", "cell [1], line 4"],
    ),
    "a database connection": (
        [
            "import sqlite3\nconn = sqlite3.connect(':memory:')",
            "def g(): return conn.execute('select 1')\n\ndef f(): return g()",
        ],
        "f",
        ["'conn'", "connection", "g", "cell [2], line 1"],
    ),
    "a generator": (["gen = (i for i in range(3))\ndef f(): return next(gen)"], "f", ["'gen'", "generator"]),
    "an iterator": (["it = iter([1])\ndef f(): return next(it)"], "f", ["'it'", "iterator"]),
    "an event loop": (
        ["import asyncio\nloop = asyncio.new_event_loop()\nloop.close()\ndef f(): return loop"],
        "f",
        ["'loop'"],
    ),
    "a socket": (
        ["import socket\ns = socket.socket()\ns.close()\ndef f(): return s"],
        "f",
        ["'s'", "socket"],
    ),
    "the notebook": (
        ["def f():\n    x = 1\n    !ls\n    return x"],
        "f",
        ["magic or shell line", "cell [1]"],
    ),
    "the shell by name": (
        ["ip = get_ipython()\ndef f(): return ip.user_ns"],
        "f",
        ["'ip'", "part of the notebook"],
    ),
    "exec-made": (["exec('def g(x): return x')\ndef f(x): return g(x)"], "f", ["'g'", "no source"]),
    "a class made by exec": (
        ["exec('class G:\\n    def go(self): pass')\ndef f(x): return G()"],
        "f",
        ["'G'", "no source"],
    ),
    "a module made here": (
        ["import types\nm = types.ModuleType('m')\nm.x = 1\ndef f(): return m.x"],
        "f",
        ["'m'"],
    ),
    "a variable that two closures share and change": (
        [
            "def make():\n    n = 0\n    def up():\n        nonlocal n\n        n += 1\n    def get(): return n\n    return up, get\nup, get = make()\ndef f():\n    up(); return get()"
        ],
        "f",
        ["'n'", "up", "get"],
    ),
    "names by eval": (["K = 1\ndef f(e): return eval(e)"], "f", ["eval()", "cell [1], line 2"]),
    "all globals": (["def f(): return sorted(globals())"], "f", ["globals()"]),
    "an API key": (
        ["API_KEY = 'live-9f8s7d6f5g4h'\ndef f(): return API_KEY"],
        "f",
        ["'API_KEY'", "secret", "cell [1], line 2"],
    ),
    "a secret in a dict": (
        ["CONF = {'url': 'x', 'db': {'password': 'hunter2!'}}\ndef f(): return CONF"],
        "f",
        ["'password'", "secret"],
    ),
    "a secret in the code": (
        ["def f():\n    token = 'ghp_0123456789abcdefghij0123456789abcdef'\n    return token"],
        "f",
        ["GitHub", "cell [1], line 2"],
    ),
    "a secret in a comment": (
        ["def f():\n    # AKIAIOSFODNN7EXAMPLE\n    return 1"],
        "f",
        ["comment", "AWS"],
    ),
    "a secret in a docstring": (
        ["def f():\n    '''curl https://bob:s3cr3tpw@host/x'''\n    return 1"],
        "f",
        ["address with a password"],
    ),
    "a secret in a default": (["def f(x, password='hunter2!'): return x"], "f", ["'password'"]),
    "a secret of a closure": (
        ["def make(api_key):\n    def go(x): return api_key\n    return go\nf = make('live-9f8s7d6f5g4h')"],
        "f",
        ["'api_key'", "secret"],
    ),
    "an environment value": (
        ["import os\nHOME = os.environ['HOME']\ndef f(): return HOME"],
        "f",
        ["'HOME'", "environment", "cell [1], line 2", "f"],
    ),
    "an environment value with a default": (
        ["import os\nMODE = os.getenv('NO_SUCH', 'a')\ndef f(): return MODE"],
        "f",
        ["'MODE'", "environment"],
    ),
    "a main import": (["K = 1\ndef f():\n    from __main__ import K\n    return K"], "f", ["__main__"]),
    "a shared part of two containers": (
        ["part = [1]\nA = {'p': part}\nB = {'p': part}\ndel part\ndef f(): return A['p'] is B['p']"],
        "f",
        ["'A'", "'B'", "same list"],
    ),
    "inner functions that hold each other": (
        [
            "def make():\n    def a(n): return 0 if n == 0 else b(n - 1)\n    def b(n): return 1 if n == 0 else a(n - 1)\n    return a\nf = make()"
        ],
        "f",
        ["hold each other"],
    ),
    "a decorator's argument that changed since": (
        [
            "import functools\nDEFAULT = [1]\n@functools.singledispatch\ndef g(x): return x",
            "from dataclasses import dataclass, field\nMAKE = list\nfrom functools import partial\n@dataclass\nclass C:\n    x: int = field(default=DEFAULT[0])",
            "DEFAULT = [2]",
            "def f(): return C()",
        ],
        "f",
        ["'C'", "'DEFAULT'", "cell [3]"],
    ),
}


@pytest.fixture(autouse=True)
def main() -> Iterator[None]:
    with main_kept():
        yield


@pytest.mark.parametrize("case", REFUSED)
def test_it_is_refused_with_a_reason(case: str) -> None:
    cells, root, words = REFUSED[case]
    book = notebook(*cells)
    error = refusal(book, root)
    for word in words:
        assert word in error.message, error.message
    if "fh" in book.shell.user_ns:
        book["fh"].close()


def test_a_secret_is_told_how_to_be_one() -> None:
    hint = refusal(notebook("API_KEY = 'live-9f8s7d6f5g4h'\ndef f(): return API_KEY"), "f").hint
    assert 'os.environ["API_KEY"]' in hint
    assert "--env API_KEY" in hint
    assert "--secret" in hint


def test_the_value_of_a_secret_variable_is_a_secret_under_any_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVICE_TOKEN", "plain words")
    assert "environment" in refusal(notebook("x = 'plain words'\ndef f(): return x"), "f").message


def test_a_global_that_is_used_nowhere_stays_out(tmp_path: Path) -> None:
    book = notebook(
        "import threading\nlock = threading.Lock()\nPASSWORD = 'hunter2!'\nbig = [0] * 10**6\ndef f(x): return x"
    )
    assert_same(book, ["f"], ["f(1)"], tmp_path)


def test_one_name_with_two_meanings_is_refused(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text("rate = 1\ndef from_script(x): return x * rate\n")
    book = notebook(f"%run {tmp_path}/script.py", "rate = 2\ndef f(x): return from_script(x), x * rate")
    error = refusal(book, "f")
    assert "'rate' means two things" in error.message


def test_a_name_that_is_builtin_for_one_and_not_for_another_is_refused(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text("def total(xs): return sum(xs)\n")
    book = notebook(
        f"%run {tmp_path}/script.py", "def sum(xs): return -1\ndef f(xs): return total(xs), sum(xs)"
    )
    assert "'sum' means two things" in refusal(book, "f").message


def test_a_script_that_was_edited_since_it_ran_is_refused(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text("def g(x): return x + 1\n")
    book = notebook(f"%run {script}", "def f(x): return g(x)")
    script.write_text("def g(x): return x + 2\n")
    error = refusal(book, "f")
    assert "script.py" in error.message
    assert "run the file again" in error.hint


def test_a_write_to_a_global_is_a_warning() -> None:
    capture = notebook("n = 0\ndef f():\n    global n\n    n += 1\n    return n").capture("f")
    assert any("'n'" in warning and "cell [1]" in warning for warning in capture.warnings)


def test_a_missing_name_is_refused_unless_its_absence_is_taken_into_account() -> None:
    book = notebook("def g(): return 1\ndef f(x=0):\n    if x: return nope()\n    return g()\ndel g")
    assert "'g'" in refusal(book, "f").message
    assert "cell [1], line 4" in refusal(book, "f").message
    book.run("def g(): return 1")
    assert "'nope'" in refusal(book, "f").message
    book.run("def f():\n    try: return nope()\n    except NameError: return g()")
    assert book.capture("f").source({})


def test_an_environment_variable_that_is_read_is_told() -> None:
    capture = notebook("import os\ndef f():\n    return os.environ.get('SOME_MODE', 'plain')").capture("f")
    (warning,) = capture.warnings
    assert "SOME_MODE" in warning
    assert "cell [1], line 3" in warning
    assert "--env SOME_MODE" in warning


def test_the_notebooks_history_is_refused_by_name() -> None:
    for name in ("Out", "In", "_"):
        assert repr(name) in refusal(notebook("1 + 1", f"def f(): return {name}"), "f").message


def test_what_a_constant_was_when_it_was_captured_is_what_is_written() -> None:
    book = notebook("seen = {'a': [1]}\ninner = seen['a']\ndef f(): return seen, inner")
    capture = book.capture("f")
    before = capture.source({})
    book.run("seen['a'].append(2); seen['b'] = object()")
    assert capture.source({}) == before


def test_a_newer_definition_than_the_one_that_goes_along_is_a_warning() -> None:
    book = notebook(
        "def g(x): return 1", "def make(g):\n    return lambda x: g(x)\nf = make(g)", "def g(x): return 2"
    )
    capture = book.capture("f")
    assert any("cell [1]" in warning and "cell [3]" in warning for warning in capture.warnings), (
        capture.warnings
    )


def test_a_cell_edited_after_it_ran_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import json

    saved = tmp_path / "book.ipynb"
    monkeypatch.setenv("JPY_SESSION_NAME", str(saved))
    book = notebook("def f(x): return 1", "def g(x): return 1")

    def save(*cells: tuple[int | None, str]) -> list[str]:
        saved.write_text(
            json.dumps(
                {"cells": [{"cell_type": "code", "execution_count": n, "source": s} for n, s in cells]}
            )
        )
        return book.capture("f", "g").warnings

    assert save((1, "def f(x): return 1"), (2, "def g(x): return 1")) == []
    assert save((1, "def f(x): return 1  # the same"), (2, "def g(x): return 1")) == []
    (warning,) = save((1, "def f(x): return 2"), (2, "def g(x): return 1"))
    assert "f goes along as cell [1]" in warning
    assert "edited" in warning
    (warning,) = save((None, "def f(x): return 2"), (2, "def g(x): return 1"))
    assert "f goes along as cell [1]" in warning


def test_plain_python_without_a_notebook_refers_to_libraries() -> None:
    from collections import OrderedDict

    home = CodeCapture({}).refer(OrderedDict, "it is there")
    assert (home.module, home.name, home.library) == ("collections", "OrderedDict", True)


def test_a_function_without_source_in_plain_python_is_refused() -> None:
    scope: dict[str, object] = {"__name__": "__main__"}
    exec("def g(x): return x", scope)
    with pytest.raises(NotServableError):
        CodeCapture(scope).refer(scope["g"], "the endpoint")
