"""What a framework is: how one family of objects is saved, read back and asked."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from bento_jupyter.errors import NotServableError

from ..parts import Loader, Method, Refer, Saved
from .places import type_name

__all__ = ["Framework", "is_a", "saved"]


class Framework(ABC):
    """How the objects of one library are saved, read back and asked; one entry of the registry.

    Subclass it and `register` an instance to teach bento_jupyter a library. All methods get the live object
    of the notebook and only read it.

    Attributes:
        name: Name of the framework, for people and in the labels of the BentoML model.
    """

    name: str

    @abstractmethod
    def applies(self, obj: Any) -> bool:
        """Whether this framework saves `obj`.

        Asked of every object, so it imports nothing: `is_a` looks at the names of the object's classes.
        """

    @abstractmethod
    def save(self, obj: Any, folder: Path, name: str, refer: Refer) -> Saved:
        """Write `obj` into a folder.

        Args:
            obj: The live object.
            folder: An existing folder; other objects are in it, too.
            name: Name of the object, an identifier; the files that are written begin with it.
            refer: Says where the code of a class or function of the notebook will live.

        Returns:
            What was written and how it is read back; `saved` makes it.

        Raises:
            NotServableError: The object holds what cannot be saved; says what, where in it, how to mend it.
        """

    def methods(self, obj: Any) -> list[Method]:
        """What the object can be asked, the most important first; nothing for plain data."""
        return []

    def check(self, obj: Any) -> None:  # noqa: B027 - most objects are always ready
        """Refuse an object that is not ready to answer.

        Raises:
            NotServableError: E.g. it is not fitted.
        """

    def answering(self, obj: Any) -> Any:
        """What is better served in place of `obj`, when it is the model itself; nearly always `obj`.

        An ONNX graph is served by an inference session that is made once.
        """
        return obj


def is_a(obj: Any, *names: str) -> bool:
    """Whether the class of `obj`, or one it inherits from, has one of these full names; imports nothing.

    A name that ends in a dot stands for all classes of that package.

    Example:
        >>> from decimal import Decimal
        >>> is_a(Decimal(1), "decimal.Decimal"), is_a(1, "torch.")
        (True, False)
    """
    for cls in type(obj).__mro__:
        full = f"{cls.__module__}.{cls.__qualname__}"
        if any(full.startswith(name) if name.endswith(".") else full == name for name in names):
            return True
    return False


def saved(  # noqa: PLR0917 - the parts of a Saved, in its order
    framework: str,
    obj: Any,
    folder: Path,
    files: Iterable[str],
    loader: Loader,
    modules: Mapping[str, Iterable[str]],
) -> Saved:
    """Describe what was written.

    Args:
        framework: Name of the framework.
        obj: The live object.
        folder: Where it was written.
        files: Files and folders that were written, relative to `folder`.
        loader: How they are read back.
        modules: Modules that reading back needs, each with the names taken from there.

    Raises:
        NotServableError: A file that should be there is not.
    """
    found: list[str] = []
    for file in files:
        path = folder / file
        inside = sorted(item for item in path.rglob("*") if item.is_file()) if path.is_dir() else [path]
        found += [item.relative_to(folder).as_posix() for item in inside]
    digest, size = hashlib.sha256(), 0
    for file in sorted(found):
        path = folder / file
        if not path.is_file():
            raise NotServableError(f"{framework} wrote no {file} for the {type(obj).__name__}")
        length = path.stat().st_size
        digest.update(f"{file}\0{length}\0".encode())
        with path.open("rb") as handle:
            while chunk := handle.read(1 << 20):
                digest.update(chunk)
        size += length
    evidence = {module: frozenset(names) for module, names in sorted(modules.items())}
    return Saved(framework, type_name(obj), tuple(sorted(found)), size, digest.hexdigest(), evidence, loader)
