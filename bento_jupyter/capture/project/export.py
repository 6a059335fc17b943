"""Takes a project out of a Bento: everything that `bentoml build` needs, in a folder of the user's."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from bento_jupyter.errors import BuildError

from .build import model_folders, read_yaml
from .workflow import WORKFLOW, workflow

__all__ = ["export_project"]


def export_project(bento: Path, directory: Path) -> Path:
    """Write the project of a Bento, with a workflow that builds, proves and deploys it.

    Args:
        bento: Folder of the Bento in the store.
        directory: A folder that is not there yet, or empty.

    Returns:
        The folder.

    Raises:
        BuildError: There is something in the folder, or nothing can be written there.
    """
    directory = directory.resolve()
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise BuildError(f"there is something in {directory} already", hint="name a new folder")
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        unfinished = Path(tempfile.mkdtemp(prefix=f".{directory.name}-", dir=directory.parent))
    except OSError as error:
        raise BuildError(f"nothing can be written in {directory.parent}: {error}") from error
    try:
        shutil.copytree(
            bento / "src", unfinished, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__")
        )
        models = model_folders(bento)
        if (unfinished / "endpoints.json").is_file():
            for model in models[:1]:
                # model.json is there already: it is the part of `model/` that goes into a Bento.
                shutil.copytree(
                    model,
                    unfinished / "model",
                    dirs_exist_ok=True,
                    ignore=shutil.ignore_patterns("model.yaml"),
                )
        if not (unfinished / "bentofile.yaml").is_file():
            info = read_yaml(bento / "bento.yaml")
            text = f"service: {info['service']!r}\nname: {info['name']!r}\n"
            (unfinished / "bentofile.yaml").write_text(text, encoding="utf-8")
        write_workflow(unfinished, read_yaml(bento / "bento.yaml"))
        unfinished.chmod(0o755)
        os.replace(unfinished, directory)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise
    return directory


def write_workflow(project: Path, info: dict[str, Any]) -> None:
    """Write the workflow of a project; one of the user's own is left as it is."""
    file = project / WORKFLOW
    if file.exists():
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    proven = (project / "test_parity.py").is_file()
    pinned = (project / "requirements.txt").is_file()
    file.write_text(workflow(info, proven=proven, pinned=pinned), encoding="utf-8")
