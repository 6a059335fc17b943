"""What is inside an object of the notebook, and the file it is saved as.

Saving is one pass of joblib's pickler, which only reads the object; on its way it notes the modules that the
object refers to and refuses references to code of the notebook: nobody else has that.
"""

from __future__ import annotations

import hashlib
import shutil
import sys
import tempfile
import threading
import types
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from bento_jupyter.errors import NotServableError

from .distributions import Distributions

__all__ = ["Contents", "locate", "save_object", "type_name"]

#: Fixed, so that the file does not depend on which Python's default it was written with (3.14 raised it).
PICKLE_PROTOCOL = 5
#: Bytes up to which a saved object is kept in memory.
MEMORY_LIMIT = 64 << 20
#: Objects looked at when saying where something sits; beyond that the place is left out.
LOCATE_LIMIT = 100_000


@dataclass
class Contents:
    """What an object is made of, as it was when it was looked at.

    Attributes:
        kind: Full name of the object's class.
        modules: Modules that the saved object refers to, each with the names of what it takes from there.
        digest: SHA-256 of the saved object, hexadecimal.
        size: Size of the saved object in bytes.
        saved: The saved object, which `joblib.load` reads; in memory as long as it is small.
    """

    kind: str
    modules: dict[str, set[str]]
    digest: str
    size: int
    saved: IO[bytes] = field(repr=False)
    _reading: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def write(self, path: Path) -> None:
        """Write the saved object to a file; threads may do so at once."""
        with self._reading, path.open("wb") as handle:
            self.saved.seek(0)
            shutil.copyfileobj(self.saved, handle)


def type_name(obj: Any) -> str:
    """Full name of an object's class, e.g. `sklearn.pipeline.Pipeline`."""
    return f"{type(obj).__module__}.{type(obj).__qualname__}"


def save_object(obj: Any) -> Contents:
    """Save `obj` and find what it refers to; it is only read.

    Raises:
        NotServableError: It refers to code of the notebook or of a module that no distribution brings, or
            holds what cannot be saved: an open file, a lock, a generator.
    """
    modules: dict[str, set[str]] = {}
    saved = tempfile.SpooledTemporaryFile(max_size=MEMORY_LIMIT)  # noqa: SIM115 - lives as long as the contents
    try:
        pickle_into(obj, saved, modules)
    except BaseException:
        saved.close()
        raise
    size = saved.tell()
    saved.seek(0)
    digest = hashlib.sha256()
    while chunk := saved.read(1 << 20):
        digest.update(chunk)
    return Contents(type_name(obj), modules, digest.hexdigest(), size, saved)


def pickle_into(obj: Any, handle: IO[bytes], modules: dict[str, set[str]]) -> None:
    """Pickle `obj` by joblib's format, note the modules it refers to, refuse code of the notebook."""
    from joblib.numpy_pickle import NumpyPickler

    distributions = Distributions.installed()

    class Pickler(NumpyPickler):  # type: ignore[misc]
        def reducer_override(self, item: Any) -> Any:
            subject: Any = item if isinstance(item, (type, *FUNCTIONS)) else type(item)
            if not isinstance(getattr(subject, "__module__", ""), str):
                subject = item  # of a kind of functions, such as Cython's: each of them names its module
            module = real_name(getattr(subject, "__module__", None) or "builtins")
            name = str(getattr(subject, "__qualname__", None) or type(subject).__qualname__)
            if module not in modules:
                origin = distributions.origin(module)
                if origin is None:
                    raise foreign_code(obj, item, subject, module, name)
                modules[module] = set()
            if "<lambda>" in name or "<locals>" in name:
                raise foreign_code(obj, item, subject, module, name)
            modules[module].add(name)
            return NotImplemented

    try:
        Pickler(handle, protocol=PICKLE_PROTOCOL).dump(obj)
    except NotServableError:
        raise
    except Exception as error:
        raise NotServableError(
            f"the {type(obj).__name__} cannot be saved: {error}",
            hint="take open files, locks, connections and generators out of it",
        ) from error


FUNCTIONS = (types.FunctionType, types.BuiltinFunctionType)


def real_name(module: str) -> str:
    """The name a module was imported by: compiled ones also go by a short name (scikit-learn's `_loss`)."""
    spec = getattr(sys.modules.get(module), "__spec__", None)
    return module if module == "__main__" or spec is None else str(spec.name)


def foreign_code(root: Any, item: Any, subject: Any, module: str, name: str) -> NotServableError:
    """The refusal of a class or function that nobody else has."""
    kind = "class" if isinstance(subject, type) else "function"
    place = locate(root, item)
    where = f" ({place})" if place else ""
    if module == "__main__":
        what = f"{kind} {name!r} is defined in this notebook"
    elif "<" in name:
        what = f"{kind} {name!r} of module {module!r} has no name of its own that it could be imported by"
    else:
        what = f"{kind} {name!r} comes from module {module!r}, which belongs to no installed distribution"
    return NotServableError(
        f"the {type(root).__name__} cannot be served: {what}{where}",
        hint="use a class or function of an installed package there",
    )


def locate(root: Any, target: Any) -> str:
    """Where in `root` the object `target` sits: "step 'clip' of the Pipeline, its func"; "" if not found."""
    queue: list[tuple[Any, tuple[str, ...]]] = [(root, ())]
    seen = {id(root)}
    keep: list[Any] = []  # ids are only good for as long as their objects live
    for node, path in queue:
        if node is target:
            return ", ".join(path)
        if len(seen) > LOCATE_LIMIT:
            break
        for word, child in children(node):
            if id(child) not in seen:
                seen.add(id(child))
                keep.append(child)
                queue.append((child, (*path, word) if word else path))
    return ""


def children(node: Any) -> Iterator[tuple[str, Any]]:
    """The parts of an object, each with the word for where it is ("" = not worth a word)."""
    if isinstance(node, (str, bytes, int, float, type, *FUNCTIONS)) or node is None:
        return
    if isinstance(node, dict):
        yield from ((f"key {key!r}", value) for key, value in node.items())
    elif isinstance(node, (list, tuple, set, frozenset)):
        for i, value in enumerate(node):
            yield (f"item {i}" if not isinstance(value, tuple) else ""), value
    else:
        attributes = getattr(node, "__dict__", None) or {}
        for list_name in ("steps", "transformers", "transformer_list", "estimators"):
            for entry in attributes.get(list_name) or ():
                if isinstance(entry, tuple) and len(entry) >= 2 and isinstance(entry[0], str):
                    word = (
                        "step" if list_name == "steps" else list_name.removesuffix("s").replace("_list", "")
                    )
                    yield f"{word} {entry[0]!r} of the {type(node).__name__}", entry[1]
        yield from ((f"its {name}", value) for name, value in attributes.items())
