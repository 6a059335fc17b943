"""Keras 3 models as `.keras`, with the layers and functions of the notebook as custom objects."""

from __future__ import annotations

import json
import keyword
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from bento_jupyter.errors import NotServableError

from ..packages.distributions import Distributions
from ..parts import Loader, Method, Refer, Saved
from .framework import Framework, is_a, saved
from .places import everything

__all__ = ["KerasModels"]

#: Date of the entries of archives, the first that zip files know: the same model gives the same bytes.
DATE = (1980, 1, 1, 0, 0, 0)
SAVED_AT = "1980-01-01@00:00:00"
#: Library that each backend needs.
BACKENDS = {"torch": "torch", "tensorflow": "tensorflow", "jax": "jax", "openvino": "openvino"}


class KerasModels(Framework):
    """`keras.Model`: architecture and weights in Keras's own archive; how it was compiled is left out."""

    name = "keras"

    def applies(self, obj: Any) -> bool:
        """True for models."""
        return is_a(obj, "keras.src.models.model.Model")

    def save(self, obj: Any, folder: Path, name: str, refer: Refer) -> Saved:
        """Save it as `.keras`."""
        import keras

        file = f"{name}.keras"
        path = folder / file
        try:
            keras.saving.save_model(obj, path)
            custom = custom_objects(obj, normalize(path), name, refer)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        entries = ", ".join(f'"{key}": {module}.{qualified}' for key, (module, qualified) in custom.items())
        given = f"custom_objects={{{entries}}}, " if entries else ""
        imports = ("import keras", *sorted({f"import {module}" for module, _ in custom.values()}))
        backend = str(keras.config.backend())
        loader = Loader(
            imports,
            f'keras.saving.load_model(folder / "{file}", {given}compile=False)',
            {"KERAS_BACKEND": backend},
        )
        modules = {"keras": ["saving"], BACKENDS.get(backend, backend): ["KERAS_BACKEND"]}
        return saved(self.name, obj, folder, [file], loader, modules)

    def methods(self, obj: Any) -> list[Method]:
        """`predict`; a model of several inputs takes each by its name."""
        inputs = [tensor.name for tensor in getattr(obj, "inputs", None) or ()]
        named = len(inputs) > 1 and all(
            name.isidentifier() and not keyword.iskeyword(name) for name in inputs
        )
        names = tuple(inputs) if named else ("X",)
        given = f"{{{', '.join(f'{name!r}: {name}' for name in names)}}}" if named else "X"
        return [Method("predict", names, f"return model.predict({given}, verbose=0)")]

    def check(self, obj: Any) -> None:
        """Refuse a model that has no weights yet."""
        if not obj.built:
            raise NotServableError(
                f"the {type(obj).__name__} is not built: it has no weights yet",
                hint="fit it, or call it once",
            )


def normalize(path: Path) -> dict[str, Any]:
    """Rewrite an archive without times and addresses; answers the configuration that is in it."""
    with zipfile.ZipFile(path) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    metadata = json.loads(entries["metadata.json"]) | {"date_saved": SAVED_AT}
    config: dict[str, Any] = json.loads(entries["config.json"])
    numbers: dict[int, int] = {}
    for part in parts_of(config):
        if "shared_object_id" in part:
            part["shared_object_id"] = numbers.setdefault(part["shared_object_id"], len(numbers) + 1)
    entries["metadata.json"] = json.dumps(metadata).encode()
    entries["config.json"] = json.dumps(config).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in entries.items():
            archive.writestr(zipfile.ZipInfo(name, DATE), content)
    return config


def parts_of(config: Any) -> Iterator[dict[str, Any]]:
    """All dictionaries of a configuration, in order."""
    if isinstance(config, dict):
        yield config
        for value in config.values():
            yield from parts_of(value)
    elif isinstance(config, list):
        for value in config:
            yield from parts_of(value)


def custom_objects(model: Any, config: dict[str, Any], name: str, refer: Refer) -> dict[str, tuple[str, str]]:
    """What Keras cannot import by itself, by the names that it looks for: module and name of each.

    Raises:
        NotServableError: There is a lambda among them, or one cannot be found.
    """
    distributions = Distributions.installed()
    wanted: dict[str, set[str]] = {}
    for part in parts_of({key: value for key, value in config.items() if key != "compile_config"}):
        kind, module = part.get("class_name"), part.get("module")
        if kind == "__lambda__":
            raise NotServableError(
                f"the {type(model).__name__} {name!r} holds a lambda, which Keras saves as bytecode",
                hint="make a function with a name of it, or a keras.layers.Layer",
            )
        if not isinstance(kind, str) or kind.startswith("__") or "config" not in part:
            continue  # such as __keras_tensor__, which Keras reads itself
        if kind == "function":
            if isinstance(part["config"], str):
                wanted.setdefault(part["config"], set()).add(part["config"])
        elif module is None or distributions.origin(module) is None:
            wanted.setdefault(kind, set()).update({kind, part.get("registered_name") or kind})
    live = named_inside(model, wanted) if wanted else {}
    found: dict[str, tuple[str, str]] = {}
    for kind, keys in wanted.items():
        if kind not in live:
            raise NotServableError(
                f"the {type(model).__name__} {name!r} refers to {kind!r}, which cannot be found in it",
                hint="keep it as an attribute of the layer that uses it",
            )
        home = refer(live[kind], f"{name}: custom object {kind!r}")
        found |= dict.fromkeys(sorted(keys), (home.module, home.name))
    return found


def named_inside(model: Any, names: Iterable[str]) -> dict[str, Any]:
    """The classes and functions of these names inside a model that no installed distribution brings."""
    origin = Distributions.installed().origin
    live: dict[str, Any] = {}
    for node in everything(model):
        for thing in (node, type(node)):
            name = getattr(thing, "__name__", None) if callable(thing) else None
            if name is not None and name in names and origin(str(thing.__module__)) is None:
                live.setdefault(str(name), thing)
    return live
