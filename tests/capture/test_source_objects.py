"""Objects that go along as files, homes for pickles, and the text of the module."""

# ruff: noqa: E501 - cells are easier to read on one line

from __future__ import annotations

import ast
import io
import pickle
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from capture.source_cells import main_kept, notebook, pickle_loader, refusal, run_source

from bento_jupyter.capture.parts import Place
from bento_jupyter.capture.source import CodeCapture


@pytest.fixture(autouse=True)
def main() -> Iterator[None]:
    with main_kept():
        yield


def save(capture: CodeCapture, folder: Path) -> dict[str, Any]:
    """Pickle all objects with references to the captured module; more may turn up while this is done."""

    class Pickler(pickle.Pickler):
        def reducer_override(self, item: Any) -> Any:
            if isinstance(item, type) or (callable(item) and hasattr(item, "__qualname__")):
                home = capture.refer(item, "an object holds it")
                if not home.library:
                    return getattr, (Module(home.module), home.name)
            return NotImplemented

        def persistent_id(self, item: Any) -> Any:
            return ("module", item.name) if isinstance(item, Module) else None

    class Module:
        def __init__(self, name: str) -> None:
            self.name = name

    saved: set[str] = set()
    while todo := [found for found in capture.objects if found.name not in saved]:
        for found in todo:
            buffer = io.BytesIO()
            Pickler(buffer).dump(found.value)
            (folder / f"{found.name}.pkl").write_bytes(buffer.getvalue())
            saved.add(found.name)
    return {name: pickle_loader(name) for name in saved}


#: Reads the pickles that `save` writes.
READ = (
    "import importlib, pickle\n"
    "class U(pickle.Unpickler):\n"
    "    def persistent_load(self, pid): return importlib.import_module(pid[1])\n"
)


def answers(book: Any, roots: list[str], expressions: list[str], folder: Path) -> tuple[CodeCapture, str]:
    capture = book.capture(*roots)
    files = folder / "files"
    files.mkdir()
    loaders = save(capture, files)
    for name, loader in loaders.items():
        loaders[name] = type(loader)(
            ("import io", "import pickle", "import importlib"),
            f'type("U", (pickle.Unpickler,), {{"persistent_load": lambda self, pid: importlib.import_module(pid[1])}})'
            f'(io.BytesIO((folder / "{name}.pkl").read_bytes())).load()',
        )
    text = capture.source(loaders, folder=f"Path({str(files)!r})")
    load = f"from pathlib import Path\nif hasattr(notebook_code, 'load'): notebook_code.load(Path({str(files)!r}))"
    found = run_source(capture, text, expressions, folder, load)
    assert found == [repr(book.eval(expression)) for expression in expressions], text
    return capture, text


def test_large_values_and_instances_are_loaded_when_the_service_starts(tmp_path: Path) -> None:
    book = notebook(
        "class Model:\n    def __init__(self, k): self.k = k\n    def predict(self, x): return x * self.k + offset(x)",
        "def offset(x): return OFFSET\nOFFSET = 100",
        "table = list(range(5000))\nmodel = Model(3)\nsame = model\ndef f(x): return model.predict(x), len(table), same is model",
    )
    capture, text = answers(book, ["f"], ["f(2)"], tmp_path)
    assert {found.name for found in capture.objects} == {"table", "model"}
    assert not any(found.eager for found in capture.objects)
    assert "def load(folder: Path) -> None:" in text
    assert next(found for found in capture.objects if found.name == "model").place == Place("cell [3]", 2)


def test_what_is_needed_while_the_code_is_imported_is_loaded_then(tmp_path: Path) -> None:
    book = notebook(
        "class Tok:\n    def __init__(self): self.v = 7",
        "tok = Tok()\nbig = list(range(5000))\ndef make(t):\n    def go(x): return x + t.v\n    return go\n"
        "go = make(tok)\ndef f(x, b=big, t=tok): return go(x), len(b), t.v",
        "class K:\n    tok = Tok()\n    big = big\n    def go(self): return self.tok.v, len(self.big)",
        "def g(): return K().go()",
    )
    capture, _ = answers(book, ["f", "g"], ["f(2), g()"], tmp_path)
    assert all(found.eager for found in capture.objects)


def test_saving_an_object_finds_more_code_and_more_objects(tmp_path: Path) -> None:
    book = notebook(
        "big = list(range(5000))\ndef clip(x): return min(x, big[10])",
        "class Step:\n    def __init__(self, fn): self.fn = fn\n    def __call__(self, x): return self.fn(x)",
        "pipe = Step(clip)\nquick = Step(lambda x: x + 1)\ndef f(x): return pipe(x), quick(x)",
    )
    capture, text = answers(book, ["f"], ["f(50)"], tmp_path)
    assert {found.name for found in capture.objects} == {"pipe", "quick", "big"}
    assert "lambda_1 = lambda x: x + 1" in text


def test_containers_of_objects_are_code_and_share_what_they_shared(tmp_path: Path) -> None:
    book = notebook(
        "big = list(range(5000))\nfirst = {'w': big, 'k': 1}\nsecond = [big, first]\nsame = first",
        "def f(x): return first['w'] is second[0], big is first['w'], second[1] is same, first['k'], big[x]",
    )
    capture, text = answers(book, ["f"], ["f(3)"], tmp_path)
    assert [found.name for found in capture.objects] == ["big"]
    assert "first = {'w': big, 'k': 1}" in text


def test_names_are_those_that_pickles_were_given(tmp_path: Path) -> None:
    book = notebook(
        "def helper(x): return 'old'",
        "held = helper",
        "def helper(x): return 'new'",
        "def f(x): return helper(x)",
    )
    capture = CodeCapture(book.shell.user_ns)
    home = capture.refer(book["held"], "an object holds it")
    capture.add_value("f", book["f"], "the endpoint")
    assert (home.module, home.library) == ("notebook_code", False)
    scope: dict[str, Any] = {"__name__": "notebook_code"}
    exec(capture.source({}), scope)
    assert scope[home.name](1) == "old"
    assert scope["f"](1) == "new"
    assert scope[home.name].__name__ == "helper"
    assert capture.name_of(book["held"]) == home.name
    assert capture.name_of(object()) is None


def test_classes_inside_classes_have_a_home_in_their_owner() -> None:
    book = notebook(
        "class Outer:\n    class Inner:\n        def go(self): return 1\n    def m(self): return 2"
    )
    capture = CodeCapture(book.shell.user_ns)
    assert capture.refer(book["Outer"].Inner, "x").name == "Outer.Inner"
    assert capture.refer(book["Outer"].m, "x").name == "Outer.m"


def test_the_reasons_and_places_are_told() -> None:
    book = notebook("import math\nK = 2", "def g(x): return x * K + math.pi", "def f(x):\n    return g(x)")
    capture = book.capture("f")
    told = {found.name: (found.kind, str(found.place), found.why) for found in capture.definitions}
    assert told == {
        "K": ("constant", "cell [1], line 2", "g uses it"),
        "g": ("function", "cell [2], line 1", "f uses it"),
        "f": ("function", "cell [3], line 1", "the endpoint"),
    }
    assert capture.used_modules == {"math": {"pi"}}
    assert capture.imports == ["import math"]


def test_the_text_is_as_a_person_would_have_written_it() -> None:
    book = notebook(
        "import json\nfrom math import pi, sin\nRATE = 0.5  # per year\n",
        """
        # Scales by the rate.
        # In place.
        def scale(x):
            # inside
            return x * RATE * pi  # behind


        class Model:
            def go(self, x):
                return scale(x), sin(x)
                # at the end
        def f(x): return json.dumps(Model().go(x))
        """,
    )
    assert (
        book.capture("f").source({})
        == '''"""Code of the notebook that the service needs, as it was executed there.

Each definition says which cell it comes from.
"""

import json
from math import pi, sin

# cell [1]
RATE = 0.5  # per year


# cell [2]
# Scales by the rate.
# In place.
def scale(x):
    # inside
    return x * RATE * pi  # behind


# cell [2]
class Model:
    def go(self, x):
        return scale(x), sin(x)
        # at the end


# cell [2]
def f(x): return json.dumps(Model().go(x))
'''
    )


def test_the_same_notebook_gives_the_same_text() -> None:
    cells = [
        "S = {'b', 'a', 'c'}\nimport json, math\ndef f(x): return json.dumps(sorted(S)), math.pi, g(x)",
        "def g(x): return S",
    ]
    texts = {notebook(*cells).capture("f").source({}) for _ in range(3)}
    assert len(texts) == 1


def test_the_executed_text_of_a_class_is_found_with_its_decorators() -> None:
    book = notebook(
        "def deco(c): return c",
        "# above\n@deco\nclass Svc:\n    '''Doc.'''\n    x: int = 1\n    def go(self): return 1\n\n@deco\nclass Plain:\n    y = 2",
    )
    capture = CodeCapture(book.shell.user_ns)
    for name in ("Svc", "Plain"):
        text, node, place = capture.source_of(book[name])
        assert isinstance(node, ast.ClassDef)
        assert node.name == name
        assert ast.unparse(node.decorator_list[0]) == "deco"
        assert text.splitlines()[node.lineno - 1].startswith(f"class {name}")
        assert place.source == "cell [2]"


def test_nothing_in_the_kernel_is_changed() -> None:
    book = notebook(
        "import math\nclass A:\n    def go(self): return math.pi\ndef f(): return A().go()\nx = [1]"
    )
    modules = set(sys.modules)
    before = {
        name: (id(value), getattr(value, "__module__", None)) for name, value in book.shell.user_ns.items()
    }
    book.capture("f").source({})
    after = {
        name: (id(value), getattr(value, "__module__", None)) for name, value in book.shell.user_ns.items()
    }
    assert before == after
    assert {
        m for m in set(sys.modules) - modules if not m.startswith(("bento_jupyter", "importlib", "email"))
    } == set()


def test_services_that_depend_on_each_other_stay_as_they_are_written() -> None:
    book = notebook(
        "import bentoml\n@bentoml.service\nclass Inner:\n    @bentoml.api\n    def plus(self, x: int) -> int:\n        return x + 100",
        "@bentoml.service\nclass Outer:\n    inner = bentoml.depends(Inner)\n    @bentoml.api\n    def twice(self, x: int) -> int:\n        return self.inner.plus(x) * 2",
    )
    capture = CodeCapture(book.shell.user_ns, module="service")
    capture.add_value("Outer", book["Outer"], "it is served")
    assert "inner = bentoml.depends(Inner)" in capture.source({})
    assert capture.name_of(book["Inner"]) == "Inner"
    book.run(
        "@bentoml.service\nclass Inner:\n    @bentoml.api\n    def plus(self, x: int) -> int:\n        return x"
    )
    error = refusal(book, "Outer")
    assert "cell [3]" in error.message
    assert error.hint == "run cell [2] again"


def test_a_refused_name_leaves_the_rest_usable() -> None:
    book = notebook(
        "import threading\nlock = threading.Lock()\ndef bad():\n    with lock: return 1\ndef good(): return 2"
    )
    capture = CodeCapture(book.shell.user_ns)
    with pytest.raises(Exception, match="lock"):
        capture.add_value("bad", book["bad"], "the endpoint")
    capture.add_value("good", book["good"], "the endpoint")
    scope: dict[str, Any] = {"__name__": "notebook_code"}
    exec(capture.source({}), scope)
    assert scope["good"]() == 2
    assert "lock" in refusal(book, "bad").message
