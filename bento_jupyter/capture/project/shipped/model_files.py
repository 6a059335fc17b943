"""The saved objects of this project, for service.py and notebook_code.py.

BentoML keeps models in a store of its own. In the project, where the files are in `model/`, this module
puts them there, so that `bentoml build` and `bentoml serve` find them; in a Bento, of which only
`model/model.json` is a part, they are there already.

    from model_files import bento_model, folder

    MODEL = bento_model(Path(__file__).parent)
    clf = joblib.load(folder(MODEL) / "clf.joblib")
"""

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import bentoml
from bentoml.models import BentoModel

__all__ = ["bento_model", "folder"]


def bento_model(project: Path) -> BentoModel:
    """The model of the project (or Bento) in this folder, for a class attribute of the service."""
    source = project / "model"
    about = json.loads((source / "model.json").read_text(encoding="utf-8"))
    model = BentoModel(about["tag"])
    if all((source / name).is_file() for name in about["files"]):
        put(model, source, about)
    return model


def folder(model: BentoModel) -> Path:
    """Where the files of the model are."""
    return Path(model.resolve().path)


def put(model: BentoModel, source: Path, about: dict[str, Any]) -> None:
    """Put the model into BentoML's store, unless it is there."""
    for name, digest in about["files"].items():
        if sha256(source / name) != digest:
            raise bentoml.exceptions.BentoMLException(
                f"{source / name} is not the file that model.json describes; "
                "after a change give the model a new tag there, and the file's new SHA-256"
            )
    stored = model.stored
    if stored is not None:
        if all(Path(stored.path_of(name)).is_file() for name in about["files"]):
            return
        bentoml.models.delete(model.tag)  # what an interrupted copy left
    with bentoml.models.create(model.tag, labels=about["labels"], metadata=about["metadata"]) as new:
        for name in about["files"]:
            target = Path(new.path_of(name))
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source / name, target)


def sha256(file: Path) -> str:
    """The SHA-256 of a file, hexadecimal."""
    digest = hashlib.sha256()
    with file.open("rb") as content:
        while chunk := content.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()
