"""Modules of the user's own project go along as files, if they are what the kernel runs."""

# ruff: noqa: E501 - cells are easier to read on one line

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from capture.source_cells import assert_same, main_kept, notebook, refusal

from bento_jupyter.capture.source import CodeCapture


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with the user's modules on the path; what was imported from it is forgotten."""
    folder = tmp_path / "mine"
    folder.mkdir()
    before = set(sys.modules)
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    with main_kept():
        yield folder
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(tmp_path)):
            del sys.modules[name]


def test_a_module_goes_along_with_what_it_imports(project: Path, tmp_path: Path) -> None:
    (project / "helpers_a.py").write_text(
        "import json\nfrom helpers_b import twice\nK = 3\ndef f(x): return json.dumps(twice(x) + K)\n"
    )
    (project / "helpers_b.py").write_text(
        "def twice(x):\n    import helpers_c\n    return x * helpers_c.TWO\n"
    )
    (project / "helpers_c.py").write_text("TWO = 2\n")
    (project / "unrelated.py").write_text("1 / 0\n")
    book = notebook(
        "import helpers_a as h\nfrom helpers_b import twice as t\nimport helpers_c",
        "def f(x): return h.f(x), t(x), h.K",
    )
    capture = assert_same(book, ["f"], ["f(2)"], tmp_path)
    assert [module.name for module in capture.modules] == ["helpers_a", "helpers_b", "helpers_c"]
    assert "json" in capture.used_modules
    assert capture.imports == ["from helpers_b import twice as t", "import helpers_a as h"]


def test_a_package_goes_along_as_a_tree(project: Path, tmp_path: Path) -> None:
    package = project / "shop_pkg"
    (package / "sub").mkdir(parents=True)
    (package / "__init__.py").write_text("from .rates import RATE\n")
    (package / "rates.py").write_text(
        "from pathlib import Path\nRATE = float((Path(__file__).parent / 'rate.txt').read_text())\n"
    )
    (package / "rate.txt").write_text("2.5")
    (package / "sub" / "__init__.py").write_text("")
    (package / "sub" / "deep.py").write_text(
        "from ..rates import RATE\nclass Model:\n    def go(self, x): return x * RATE\n"
    )
    (package / "__pycache__").mkdir(exist_ok=True)
    (package / ".env").write_text("SECRET=1")
    book = notebook(
        "import shop_pkg\nimport shop_pkg.sub.deep",
        "def f(x): return shop_pkg.sub.deep.Model().go(x), shop_pkg.RATE",
    )
    capture = assert_same(book, ["f"], ["f(2)"], tmp_path)
    assert sorted(capture.modules[0].files) == [
        "shop_pkg/__init__.py",
        "shop_pkg/rate.txt",
        "shop_pkg/rates.py",
        "shop_pkg/sub/__init__.py",
        "shop_pkg/sub/deep.py",
    ]
    home = capture.refer(book.eval("shop_pkg.sub.deep.Model"), "an object holds it")
    assert (home.module, home.name, home.library) == ("shop_pkg.sub.deep", "Model", False)


def test_a_module_edited_since_its_import_is_refused_until_it_is_reloaded(
    project: Path, tmp_path: Path
) -> None:
    path = project / "edited_mod.py"
    path.write_text("# one\ndef g(x): return x + 1\n")
    book = notebook("import edited_mod\ndef f(x): return edited_mod.g(x)")
    path.write_text("# a comment more\n\ndef g(x): return x + 1\n")
    assert_same(book, ["f"], ["f(1)"], tmp_path)
    path.write_text("def g(x): return x + 20000\n")
    error = refusal(book, "f")
    assert "edited_mod.g" in error.message
    assert "importlib.reload(edited_mod)" in error.hint
    importlib.invalidate_caches()
    importlib.reload(sys.modules["edited_mod"])
    assert_same(book, ["f"], ["f(1)"], tmp_path)


def test_a_constant_changed_in_the_kernel_is_refused(project: Path) -> None:
    (project / "conf_mod.py").write_text("RATE = 1\nTABLE = {'a': 1}\n")
    book = notebook("import conf_mod\nfrom conf_mod import TABLE\ndef f(): return conf_mod.RATE, TABLE")
    book.run("TABLE['b'] = 2")
    assert "conf_mod.TABLE" in refusal(book, "f").message
    book.run("del TABLE['b']; conf_mod.RATE = 7")
    error = refusal(book, "f")
    assert "conf_mod.RATE is 7 in the kernel and 1 in conf_mod.py, line 1" in error.message


def test_a_function_replaced_from_the_notebook_is_refused(project: Path) -> None:
    (project / "patched_mod.py").write_text("def g(x): return 1\ndef h(x): return g(x)\n")
    book = notebook(
        "import patched_mod", "def mine(x): return 2\npatched_mod.g = mine\ndef f(x): return patched_mod.h(x)"
    )
    assert "patched_mod.g was replaced" in refusal(book, "f").message


@pytest.mark.parametrize("name", ["service", "codec"])
def test_a_module_named_like_a_file_of_the_project_is_refused(project: Path, name: str) -> None:
    (project / f"{name}.py").write_text("def g(x): return 1\n")
    book = notebook(f"import {name} as m\ndef f(x): return m.g(x)")
    assert "rename" in refusal(book, "f").hint


def test_a_secret_in_a_module_is_refused(project: Path) -> None:
    (project / "keys_mod.py").write_text("def g(): return 1\nAPI_KEY = 'live-9f8s7d6f5g4h'\n")
    book = notebook("import keys_mod\ndef f(): return keys_mod.g()")
    assert "keys_mod.py, line 2" in refusal(book, "f").message


def test_a_handle_of_a_module_stays_in_the_module(project: Path, tmp_path: Path) -> None:
    (project / "lock_mod.py").write_text(
        "import threading\nlock = threading.Lock()\ndef g():\n    with lock: return 1\n"
    )
    book = notebook("from lock_mod import g\ndef f(): return g()")
    assert_same(book, ["f"], ["f()"], tmp_path)


def test_a_lambda_of_a_module_is_captured_as_source(project: Path, tmp_path: Path) -> None:
    (project / "lam_mod.py").write_text(
        "K = 5\ndef help_it(x): return x + K\nfs = {'a': lambda x: help_it(x) * 2}\n"
    )
    book = notebook("from lam_mod import fs\nfn = fs['a']\ndel fs\ndef f(x): return fn(x)")
    assert_same(book, ["f"], ["f(1)"], tmp_path)


def test_a_file_that_shadows_nothing_but_is_named_like_the_standard_library_is_the_users(
    project: Path,
) -> None:
    (project / "this.py").write_text("def g(): return 'mine'\n")
    sys.modules.pop("this", None)
    importlib.invalidate_caches()
    book = notebook("import this\ndef f(): return this.g()")
    assert [module.name for module in book.capture("f").modules] == ["this"]


def test_installed_packages_stay_where_they_are(tmp_path: Path) -> None:
    book = notebook(
        "import numpy as np\nimport numpy\nfrom sklearn.preprocessing import scale\ndef f(x): return np.linalg.norm(scale(x)), numpy.mean(x)"
    )
    capture: CodeCapture = assert_same(book, ["f"], ["f([1.0, 2.0])"], tmp_path)
    assert capture.modules == []
    assert set(capture.used_modules) >= {"numpy", "sklearn.preprocessing"}
    assert capture.imports == [
        "from sklearn.preprocessing import scale",
        "import numpy",
        "import numpy as np",
    ]


def test_scripts_that_were_run_are_the_notebooks(project: Path, tmp_path: Path) -> None:
    (project / "script_run.py").write_text(
        "import math\nK = 3\nclass Cfg:\n    v = 4\ndef g(x): return math.floor(x) * K + Cfg.v\n"
    )
    book = notebook(f"%run {project}/script_run.py", "def f(x): return g(x)")
    capture = assert_same(book, ["f"], ["f(2.5)"], tmp_path)
    places = {found.name: str(found.place) for found in capture.definitions}
    assert places["g"] == "script_run.py, line 5"
