"""Environments: what counts as the same, and how they are made."""

from __future__ import annotations

import base64
import fcntl
import hashlib
import os
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bento_jupyter.bytecode import seed_bytecode
from bento_jupyter.environments import (
    Environment,
    environment_key,
    other_python,
    prepare,
    pythons_at_hand,
    this_minor,
)
from bento_jupyter.errors import EnvironmentBuildError
from bento_jupyter.home import Home
from bento_jupyter.launcher import REPLICA_PROGRAM

MODULE = "ANSWER = 42\n\ndef answer():\n    return ANSWER\n"


def make_wheel(folder: Path, name: str = "tiny", module: str = MODULE) -> str:
    """A wheel with one module; gives its requirement, relative to `folder`."""
    (folder / "wheels").mkdir(exist_ok=True)
    info = f"{name}-1.0.dist-info"
    files = {
        f"{name}.py": module,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = ""
    for path, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
        record += f"{path},sha256={digest},{len(text)}\n"
    wheel = folder / "wheels" / f"{name}-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in {**files, f"{info}/RECORD": f"{record}{info}/RECORD,,\n"}.items():
            archive.writestr(path, text)
    return f"./wheels/{wheel.name}"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    home.create()
    return home


def run(environment: Environment, code: str) -> str:
    return subprocess.run(
        [str(environment.python), "-I", "-c", code], capture_output=True, text=True, check=True
    ).stdout.strip()


def site_packages(environment: Environment) -> Path:
    (found,) = environment.path.glob("lib/python*/site-packages")
    return found


requirement = st.builds(
    lambda name, version: f"{name}=={version}",
    st.sampled_from(["numpy", "pandas", "attrs", "httpx"]),
    st.integers(0, 3),
)


@given(st.lists(requirement, unique=True), st.randoms(), st.sampled_from(["", "  # why", "   "]))
def test_order_blanks_and_comments_do_not_matter(lines: list[str], random: object, tail: str) -> None:
    shuffled = list(lines)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    text = "# head\n\n" + "".join(f"{line}{tail}\n" for line in shuffled)
    assert environment_key(text, "3.11") == environment_key("\n".join(lines), "3.11")


@given(st.lists(requirement, unique=True), requirement)
def test_another_requirement_is_another_environment(lines: list[str], more: str) -> None:
    other = [line for line in lines if line != more]
    assert environment_key("\n".join([*other, more]), "3.11") != environment_key("\n".join(other), "3.11")


def test_another_python_is_another_environment() -> None:
    assert environment_key("a==1", "3.11") != environment_key("a==1", "3.12")


def test_hashes_on_continued_lines_count() -> None:
    one, other = ("a==1 \\\n    --hash=sha256:" + digit * 64 for digit in "ab")
    assert environment_key(one, "3.11") != environment_key(other, "3.11")


def test_the_content_of_a_local_wheel_counts(tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path)
    before = environment_key(wheel, "3.11", tmp_path)
    make_wheel(tmp_path, module="ANSWER = 43\n")
    assert environment_key(wheel, "3.11", tmp_path) != before


def test_it_is_made_once_and_found_again(home: Home, tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path)
    lines: list[str] = []
    made = prepare(home, wheel, directory=tmp_path, log=lines.append)
    assert not made.cached
    assert any("tiny" in line for line in lines)
    assert run(made, "import tiny, sys; print(tiny.answer(), '%d.%d' % sys.version_info[:2])") == (
        f"42 {this_minor()}"
    )
    again = prepare(home, f"# same\n{wheel}\n", directory=tmp_path)
    assert again.cached
    assert (again.key, again.path) == (made.key, made.path)


def test_nothing_of_the_callers_environment_is_in_it(home: Home, tmp_path: Path) -> None:
    made = prepare(home, make_wheel(tmp_path), directory=tmp_path)
    assert run(made, "import importlib.util; print(importlib.util.find_spec('pydantic'))") == "None"


def test_one_that_was_left_unfinished_is_made_again(home: Home, tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path)
    left = home.environments / environment_key(wheel, this_minor(), tmp_path)
    (left / "bin").mkdir(parents=True)
    (left / "rubbish").write_text("killed here")
    made = prepare(home, wheel, directory=tmp_path)
    assert made.path == left
    assert not (left / "rubbish").exists()
    assert run(made, "import tiny; print(tiny.ANSWER)") == "42"


def test_a_failure_says_what_uv_says_and_leaves_nothing(home: Home, tmp_path: Path) -> None:
    (tmp_path / "broken.whl").write_text("no wheel")
    with pytest.raises(EnvironmentBuildError, match=r"could not be installed: .*broken") as caught:
        prepare(home, "./broken.whl", directory=tmp_path)
    assert "broken" in caught.value.log
    assert not [path for path in home.environments.iterdir() if path.is_dir()]


def test_a_build_can_be_cancelled(home: Home, tmp_path: Path) -> None:
    cancelled = threading.Event()
    cancelled.set()
    with pytest.raises(EnvironmentBuildError, match="cancelled"):
        prepare(home, make_wheel(tmp_path), directory=tmp_path, cancelled=cancelled)
    assert not [path for path in home.environments.iterdir() if path.is_dir()]


BUILD = """
import sys
from pathlib import Path
from bento_jupyter.environments import prepare
from bento_jupyter.home import Home
from bento_jupyter.launcher import REPLICA_PROGRAM
print(prepare(Home(Path(sys.argv[1])), sys.argv[2], directory=Path(sys.argv[3])).cached)
"""


def test_processes_that_want_the_same_build_it_once(home: Home, tmp_path: Path) -> None:
    command = [sys.executable, "-c", BUILD, str(home.root), make_wheel(tmp_path), str(tmp_path)]
    builders = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    cached = sorted(builder.communicate(timeout=60)[0].strip() for builder in builders)
    assert cached == ["False", "True", "True"]


def seeded(home: Home, tmp_path: Path, edit: str | None = None) -> tuple[int, Environment]:
    """An environment whose bytecode was taken from another one; `edit` is written to the other's module."""
    wheel = make_wheel(tmp_path)
    other = prepare(Home(tmp_path / "other"), wheel, directory=tmp_path)
    if edit is not None:
        module = site_packages(other) / "tiny.py"
        stat = module.stat()
        module.unlink()  # it may be one file with that of uv's cache
        module.write_text(edit)
        os.utime(module, (stat.st_mtime + 3600, stat.st_mtime + 3600))
    run(other, "import tiny")
    (pyc,) = (site_packages(other) / "__pycache__").glob("tiny.*")
    assert pyc.is_file()
    made = prepare(home, wheel, directory=tmp_path)
    return seed_bytecode(made.path, [site_packages(other)]), made


def test_bytecode_is_taken_over_and_used(home: Home, tmp_path: Path) -> None:
    count, made = seeded(home, tmp_path)
    assert count == 1
    (pyc,) = (site_packages(made) / "__pycache__").glob("tiny.*")
    before = pyc.stat()
    assert run(made, "import tiny; print(tiny.answer.__code__.co_filename)") == str(
        site_packages(made) / "tiny.py"
    )
    verbose = subprocess.run(
        [str(made.python), "-I", "-v", "-c", "import tiny"], capture_output=True, text=True, check=True
    ).stderr
    assert f"code object from '{pyc}'" in verbose
    assert (pyc.stat().st_mtime_ns, pyc.stat().st_ino) == (before.st_mtime_ns, before.st_ino)


def test_bytecode_of_an_edited_source_is_not_taken_over(home: Home, tmp_path: Path) -> None:
    count, made = seeded(home, tmp_path, edit=MODULE.replace("42", "41"))
    assert count == 0
    assert run(made, "import tiny; print(tiny.ANSWER)") == "42"


def test_a_build_that_waits_for_another_one_can_be_cancelled(home: Home) -> None:
    key = environment_key("", this_minor())
    cancelled = threading.Event()
    with (home.environments / f"{key}.lock").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(EnvironmentBuildError, match="cancelled"):
            prepare(home, "", log=lambda _line: cancelled.set(), cancelled=cancelled)


def test_another_python_is_found_where_pyenv_has_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for version in ("3.12.1", "3.12.10", "3.12-dev", "3.9.1"):
        program = (
            tmp_path
            / "versions"
            / version
            / "bin"
            / f"python{'.'.join(version.split('-')[0].split('.')[:2])}"
        )
        program.parent.mkdir(parents=True)
        program.touch()
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    assert other_python("3.12") == str(tmp_path / "versions/3.12.10/bin/python3.12")
    assert other_python("3.13") == "3.13"


def test_its_size_is_that_of_all_its_files(home: Home, tmp_path: Path) -> None:
    empty = prepare(home, "")
    made = prepare(home, make_wheel(tmp_path, module="A = '" + "a" * 100_000 + "'"), directory=tmp_path)
    assert 100_000 < made.size - empty.size < 110_000


def load_replica_program(then: str) -> str:
    return (
        "import importlib.util, sys; "
        f"spec = importlib.util.spec_from_file_location('replica', {str(REPLICA_PROGRAM)!r}); "
        "replica = importlib.util.module_from_spec(spec); spec.loader.exec_module(replica); "
        f"before = list(sys.path); replica.use_speedups(); {then}"
    )


def test_only_the_replica_program_sees_what_makes_it_quick(home: Home, tmp_path: Path) -> None:
    lines: list[str] = []
    made = prepare(home, make_wheel(tmp_path), directory=tmp_path, log=lines.append)
    names = "sorted(name for name in ('uvloop', 'httptools') if name in sys.modules), sys.path == before"
    assert run(made, load_replica_program(f"print({names})")) == "['httptools', 'uvloop'] True"
    assert run(made, "import importlib.util; print(importlib.util.find_spec('uvloop'))") == "None"
    assert "beside the packages, for the server alone: uvloop, httptools" in lines


def test_what_the_requirements_have_of_it_wins(home: Home, tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, name="httptools", module="OWN = True\n")
    made = prepare(home, wheel, directory=tmp_path)
    assert run(made, load_replica_program("print(sys.modules['httptools'].OWN)")) == "True"


@pytest.mark.parametrize("version", [each for each in pythons_at_hand() if each != this_minor()][-1:])
def test_another_python_gets_its_own_or_none(home: Home, tmp_path: Path, version: str) -> None:
    lines: list[str] = []
    made = prepare(home, make_wheel(tmp_path), python=version, directory=tmp_path, log=lines.append)
    (said,) = (line for line in lines if line.startswith("beside the packages"))
    has_it = "uvloop" in said
    assert run(made, load_replica_program("print('uvloop' in sys.modules)")) == str(has_it)
