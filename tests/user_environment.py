"""A user's virtual environment, in which real packages are installed in all the ways there are."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path
from typing import Any

from uv import find_uv_bin

ROOT = Path(__file__).parents[1]

#: A build backend that works as those of flit, hatch and uv do: the editable install is a `.pth` file.
BACKEND = """
import pathlib, zipfile

INFO = "{name}-1.0.dist-info"

def wheel(folder, files):
    path = pathlib.Path(folder) / "{name}-1.0-py3-none-any.whl"
    files |= {{
        INFO + "/METADATA": "Metadata-Version: 2.1\\nName: {name}\\nVersion: 1.0\\n",
        INFO + "/WHEEL": "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
    }}
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
        archive.writestr(INFO + "/RECORD", "".join(f"{{name}},,\\n" for name in [*files, INFO + "/RECORD"]))
    return path.name

def build_wheel(folder, config_settings=None, metadata_directory=None):
    source = pathlib.Path("src")
    return wheel(folder, {{str(p.relative_to(source)): p.read_text() for p in source.rglob("*.py")}})

def build_editable(folder, config_settings=None, metadata_directory=None):
    return wheel(folder, {{"_{name}.pth": str(pathlib.Path("src").resolve())}})
"""


class Kernel:
    """A virtual environment as a user has it, in which bento_jupyter can be imported, too."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.python = folder / "bin" / "python"
        uv("venv", "-q", "--no-project", "--python", sys.executable, str(folder))
        (self.site / "of_the_tests.pth").write_text(f"{sysconfig.get_path('purelib')}\n{ROOT}\n")

    @property
    def site(self) -> Path:
        (found,) = self.folder.glob("lib/python*/site-packages")
        return found

    def install(self, *what: str) -> None:
        uv("pip", "install", "-q", "--offline", "--python", str(self.python), "--no-deps", *what)

    def build(self, *what: str) -> None:
        self.install("--no-build-isolation", *what)

    def run(self, code: str, *arguments: str) -> Any:
        """What the last line of output of some code says, as JSON."""
        done = subprocess.run(
            [str(self.python), "-c", code, *arguments],
            capture_output=True, text=True, cwd=self.folder, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    def local(self, name: str) -> str | None:
        code = (
            "import json, sys\nfrom bento_jupyter.capture.packages.wheels import local_distributions\n"
            "print(json.dumps(local_distributions(sys.argv[1:]).get(sys.argv[1])))"
        )
        reason = self.run(code, name)
        assert reason is None or isinstance(reason, str)
        return reason

    def wheel(self, name: str, folder: Path, before: str = "") -> Path:
        code = (
            "import json, pathlib, sys\nfrom bento_jupyter.capture.packages.wheels import make_wheel\n"
            + before
            + "\n"
            "print(json.dumps(str(make_wheel(sys.argv[1], pathlib.Path(sys.argv[2])))))"
        )
        return Path(self.run(code, name, str(folder)))

    def origin(self, module: str) -> str | None:
        code = (
            "import json, sys\nfrom bento_jupyter.capture.packages.distributions import Distributions\n"
            "print(json.dumps(Distributions.installed().origin(sys.argv[1])))"
        )
        found = self.run(code, module)
        assert found is None or isinstance(found, str)
        return found


def uv(*arguments: str) -> None:
    envs = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "PYTHONPATH")}
    done = subprocess.run([find_uv_bin(), *arguments], capture_output=True, text=True, env=envs, check=False)
    assert done.returncode == 0, done.stderr


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def src_project(folder: Path, name: str, files: dict[str, str]) -> Path:
    return write(
        folder,
        {
            "pyproject.toml": (
                '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
                f'[project]\nname = "{name}"\nversion = "1.0"\n'
            ),
            "backend.py": BACKEND.format(name=name),
            **{f"src/{path}": text for path, text in files.items()},
        },
    )


def pack(folder: Path, name: str, files: dict[str, str], more: str = "", tag: str = "py3-none-any") -> Path:
    """A wheel, version 1.0, with these files; `more` are lines of its METADATA."""
    info = f"{name}-1.0.dist-info"
    contents = {
        **files,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n{more}",
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n",
    }
    record = "".join(f"{path},{digest(text)},{len(text)}\n" for path, text in contents.items())
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-1.0-{tag}.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for file, text in contents.items():
            archive.writestr(file, text)
        archive.writestr(f"{info}/RECORD", f"{record}{info}/RECORD,,\n")
    return path


def digest(text: str) -> str:
    """A hash as RECORD has it."""
    return "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")
