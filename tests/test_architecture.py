"""The rules that no reviewer should have to check by hand: import direction, import cost, lock files."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "bento_jupyter"

#: From the top floor down; a room may import rooms with a smaller number only (its own room always).
FLOORS = {
    "magics": 9,
    "server": 9,
    "cli": 10,
    "doctor": 8,
    "forms": 8,
    "workspace": 7,
    "capture": 6,
    "cloud": 6,
    "client": 5,
    "display": 4,
    "stored_environments": 4,
    "environments": 3,
    "launcher": 3,
    "zygote": 2,
    "forkserver": 2,
    "bytecode": 2,
    "speedups": 2,
    "pip_settings": 2,
    "codec": 2,
    "replica": 2,
    "contained": 2,
    "stock": 2,
    "examples": 3,
    "insight": 3,
    "proofs": 2,
    "views": 2,
    "spelling": 2,
    "spec": 1,
    "home": 1,
    "service_spec": 0,
    "quoting": 0,
    "errors": 0,
}
#: The package itself only names what is in it, lazily.
LAZY = {"__init__"}


def modules() -> list[Path]:
    return [path for path in PACKAGE.rglob("*.py") if "labextension" not in path.parts]


def room_of(path: Path) -> str:
    first = path.relative_to(PACKAGE).parts[0]
    return first.removesuffix(".py")


def imported_rooms(path: Path) -> set[tuple[str, int]]:
    """Rooms of this package that a module imports, with the line."""
    inside = path.relative_to(PACKAGE).parts
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            if node.level:
                base = [*inside[:-1]][: len(inside) - node.level]
                full = [*base, *(node.module or "").split(".")] if node.module else base
                full = [part for part in full if part]
            elif (node.module or "").split(".")[0] == "bento_jupyter":
                full = (node.module or "").split(".")[1:]
            else:
                continue
            for alias in node.names:
                found.add(((full or [alias.name])[0], node.lineno))
        elif isinstance(node, ast.Import):
            for alias in node.names:
                parts = alias.name.split(".")
                if parts[0] == "bento_jupyter" and len(parts) > 1:
                    found.add((parts[1], node.lineno))
    return found


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_downward_only(path: Path) -> None:
    room = room_of(path)
    if room in LAZY:
        return
    for imported, line in imported_rooms(path):
        if imported in (room, "__version__"):
            continue
        assert imported in FLOORS, f"{path}:{line} imports {imported}, which has no floor in this test"
        assert FLOORS[imported] < FLOORS[room], f"{path}:{line}: {room} may not import {imported}"


def test_every_room_has_a_floor() -> None:
    rooms = {room_of(path) for path in modules()} - LAZY - {"py"}
    assert rooms == set(FLOORS)


@pytest.mark.parametrize("program", ["replica.py", "contained.py"])
def test_the_replica_program_needs_nothing_of_this_package(program: str) -> None:
    assert imported_rooms(PACKAGE / program) == set()


HEAVY = {"bentoml", "ipywidgets", "uvicorn", "sqlalchemy", "numpy", "pandas"}


def loaded_by(code: str) -> set[str]:
    script = (
        f"import json, sys\nbefore = set(sys.modules)\n{code}\n"
        "print(json.dumps(sorted(set(sys.modules) - before)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_importing_the_package_loads_nothing_heavy() -> None:
    assert not loaded_by("import bento_jupyter") & (HEAVY | {"httpx", "pydantic", "IPython"})


def test_loading_the_extension_loads_nothing_heavy() -> None:
    code = (
        "from IPython.core.interactiveshell import InteractiveShell\n"
        "shell = InteractiveShell.instance()\n"
        "before = set(sys.modules)\n"
        "shell.run_line_magic('load_ext', 'bento_jupyter')"
    )
    assert not loaded_by(code) & (HEAVY | {"httpx", "pydantic"})


def test_importing_the_server_extension_loads_neither_bentoml_nor_the_kernel_side() -> None:
    loaded = loaded_by("import bento_jupyter.server")
    assert not loaded & {"bentoml", "numpy", "pandas", "ipywidgets", "sqlalchemy", "bento_jupyter.workspace"}


def test_the_public_names_are_there() -> None:
    import bento_jupyter

    for name in bento_jupyter.__all__:
        assert getattr(bento_jupyter, name) is not None, name


@pytest.mark.parametrize("name", ["labextension/yarn.lock", "requirements/constraints.txt"])
def test_lock_files_name_no_address(name: str) -> None:
    assert "://" not in (ROOT / name).read_text(encoding="utf-8")


def test_modules_stay_readable_in_one_sitting() -> None:
    lines = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in modules()}
    assert not {name: count for name, count in lines.items() if count > 600}


def test_no_module_prints_but_the_shell_face() -> None:
    printing = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in modules()
        if path.parent.name != "cli"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in ("print", "input")
    ]
    assert not printing


def test_versions_of_the_two_halves_agree() -> None:
    import bento_jupyter

    package = json.loads((ROOT / "labextension" / "package.json").read_text(encoding="utf-8"))
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    declared = re.search(r'^version = "([^"]+)"', project, re.MULTILINE)
    assert declared is not None
    assert {package["version"], declared.group(1), bento_jupyter.__version__} == {bento_jupyter.__version__}
