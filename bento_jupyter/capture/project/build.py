"""Builds the Bento of a project: in a process of its own, in its folder, into the user's BentoML store."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bento_jupyter.errors import BuildError
from bento_jupyter.home import Home

from ..plan import Plan
from .builder import BUILD_TIMEOUT, Builder, build_envs
from .writing import content_version, write_project

__all__ = ["Built", "build_directory", "build_project", "discard", "run_build", "store"]


@dataclass(frozen=True)
class Built:
    """A Bento in the local store.

    Attributes:
        tag: `name:version`.
        path: Its folder in the store.
        version: Its version: a hash of its content.
        project: The project it was built from.
        cached: True when the store had it already.
        seconds: How long the build took.
    """

    tag: str
    path: Path
    version: str
    project: Path
    cached: bool
    seconds: float


def store() -> Path:
    """The user's BentoML home: `BENTOML_HOME`, else `~/bentoml`."""
    return Path(os.environ.get("BENTOML_HOME") or Path.home() / "bentoml").expanduser()


def build_project(plan: Plan, home: Home, builder: Builder | None = None) -> Built:
    """Write the project of a plan below `home.projects` and build its Bento.

    The same object, sample and versions come to the same tag, and are built once.

    Args:
        plan: What to build.
        home: Where projects live.
        builder: Started before, and closed by its maker; None = one of its own.

    Raises:
        BuildError: The build failed; the message has the last lines it wrote. Nothing half done is left.
    """
    project = write_project(plan, home.projects)
    try:
        return run_build(project, builder)
    except BaseException:
        shutil.rmtree(project, ignore_errors=True)
        raise


def run_build(project: Path, builder: Builder | None = None) -> Built:
    """Build the Bento of a project, as `bentoml build` does in its folder, but with its content as version.

    Raises:
        BuildError: See `build_project`; the project is kept.
    """
    begin = time.perf_counter()
    version = content_version(project)
    name = str(read_yaml(project / "bentofile.yaml")["name"])
    path = store() / "bentos" / name / version
    with (project.parent / f".{project.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # another kernel may be building the same
        cached = (path / "bento.yaml").is_file() and _has_models(path)
        if cached:
            (path.parent / "latest").write_text(
                version, encoding="utf-8"
            )  # what was built last is the latest
        else:
            shutil.rmtree(path, ignore_errors=True)  # half of a Bento
            about = project / "model" / "model.json"
            model = _model_folder(json.loads(about.read_text())["tag"]) if about.is_file() else None
            mine = set() if model is None or model.exists() else {model}
            try:
                if builder is not None:
                    _build(project, path, builder)
                else:
                    with Builder() as own:
                        _build(project, path, own)
            except BaseException:
                _take_out(path, mine)
                raise
    return Built(f"{name}:{version}", path, version, project, cached, time.perf_counter() - begin)


def _build(project: Path, path: Path, builder: Builder) -> None:
    """Build as `bentoml build` does, which is to bring forth the Bento at `path`."""
    code, output = builder.build(project, path.name)
    if code or not path.is_dir():
        said = [line for line in output.splitlines() if line.strip()]
        last = "\n".join(said[-8:] or [f"code {code}"])
        raise BuildError(
            f"building {path.parent.name} failed: {last}",
            hint="its last line is what the captured code raises when it is imported; --plan shows that code",
        )


def build_directory(name: str, path: Path, home: Home) -> Built:
    """Build a project directory or service file of the user's own, as `bentoml build` does.

    Args:
        name: Name of the Bento.
        path: Folder with a `bentofile.yaml`, `pyproject.toml` or `service.py`; or a service file.
        home: Where what is made on the way is kept.

    Raises:
        BuildError: It is not there, or the build failed; the message has the last lines it wrote.
    """
    from ..plan import check_name

    check_name(name)
    begin = time.perf_counter()
    path = path.expanduser().resolve()
    if not path.exists():
        raise BuildError(f"there is no project or service file at {path}", hint="check the path")
    folder = path if path.is_dir() else path.parent
    target = [path.stem] if path.is_file() else []
    words = [sys.executable, "-m", "bentoml", "build", "--name", name, "--output", "tag", *target]
    try:
        done = subprocess.run(
            words, cwd=folder, env=build_envs(), stdin=subprocess.DEVNULL, capture_output=True, text=True,
            encoding="utf-8", errors="replace", timeout=BUILD_TIMEOUT, check=False, start_new_session=True,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise BuildError(f"building {name} took longer than {BUILD_TIMEOUT} s") from error
    plain = re.sub(r"\x1b\[[0-9;]*m", "", done.stdout)  # bentoml colours its output, also into a pipe
    tags = [line.removeprefix("__tag__:") for line in plain.splitlines() if line.startswith("__tag__:")]
    if done.returncode or not tags:
        said = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        last = "\n".join(said[-8:] or [f"code {done.returncode}"])
        raise BuildError(f"building {path.name} failed: {last}", hint=f"try: bentoml build {folder}")
    version = tags[-1].partition(":")[2]
    built = store() / "bentos" / name / version
    return Built(tags[-1], built, version, folder, False, time.perf_counter() - begin)


def discard(built: Built) -> None:
    """Take a Bento out of the store again, with its project and with its model if no other Bento has it.

    One that was there before its build is kept.
    """
    if built.cached:
        return
    mine = set(model_folders(built.path))
    shutil.rmtree(built.project, ignore_errors=True)
    _take_out(built.path, mine)


def _take_out(path: Path, models: set[Path]) -> None:
    """Remove a Bento, and those of `models` that no other Bento has."""
    shutil.rmtree(path, ignore_errors=True)
    _forget(path)
    others: set[Path] = set()
    for file in (store() / "bentos").glob("*/*/bento.yaml"):
        others.update(model_folders(file.parent))
    for folder in models - others:
        shutil.rmtree(folder, ignore_errors=True)
        _forget(folder)


def _forget(folder: Path) -> None:
    """Put the store's `latest` right after the removal of one version."""
    left = [path for path in folder.parent.glob("*") if path.is_dir()]
    if left:
        newest = max(left, key=lambda path: path.stat().st_mtime)
        (folder.parent / "latest").write_text(newest.name)
    else:
        shutil.rmtree(folder.parent, ignore_errors=True)


def read_yaml(path: Path) -> Any:
    """The content of a YAML file of BentoML's."""
    import yaml  # type: ignore[import-untyped]

    return yaml.safe_load(path.read_text(encoding="utf-8"))


def model_folders(bento: Path) -> list[Path]:
    """Folders in the model store of the models that a Bento names."""
    info = read_yaml(bento / "bento.yaml")
    models = [
        *(info.get("models") or ()),
        *(m for s in info.get("services") or () for m in s.get("models") or ()),
    ]
    return [_model_folder(str(model["tag"])) for model in models]


def _model_folder(tag: str) -> Path:
    return store() / "models" / tag.replace(":", "/")


def _has_models(bento: Path) -> bool:
    return all((folder / "model.yaml").is_file() for folder in model_folders(bento))
