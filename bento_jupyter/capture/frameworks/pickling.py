"""Pickles that refer to the shipped module instead of the notebook, written without touching a live object.

joblib's pickler is written in Python, so a class of its own can say, for each class and function, where its
code will live. The other way, to set `__module__` for a while, leaves a changed kernel when something raises
or a second thread looks.

The bytes depend on the object alone: equal texts are written once, however often they are in memory, and the
items of sets in an order of their own.
"""

from __future__ import annotations

import functools
import inspect
import os
import pickle
import sys
import types
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import IO, Any

from ..parts import Loader, Refer, Saved
from .framework import saved
from .reducers import reducer_of
from .references import PythonPickler, References

__all__ = ["PROTOCOL", "Rehoming", "save_pickle", "write_pickle"]

#: Fixed, so that the file does not depend on which Python's default it was written with (3.14 raised it).
PROTOCOL = 5
#: Python frames for objects that are nested deeply: each level takes up to eight.
DEEP_RECURSION = 10_000
ENVIRONMENT = type(os.environ)
Reducer = Callable[[Any], tuple[Any, ...]]
FUNCTIONS = (types.FunctionType, types.BuiltinFunctionType)


class Rehoming(PythonPickler):  # type: ignore[misc]
    """A pickler that writes where code will live and refuses secrets; the same object gives the same bytes.

    Args:
        handle: Where it writes.
        references: What is known about the object, and where the modules are noted.
    """

    def __init__(self, handle: IO[bytes], references: References, protocol: int = PROTOCOL) -> None:
        super().__init__(handle, protocol=protocol)
        self.references = references
        self._texts: dict[str, str] = {}
        self._reducers: dict[type, Reducer | None] = {}

    def reducer_override(self, obj: Any) -> Any:
        """How an object is pickled, unless in its own way."""
        kind = type(obj)
        if kind is str or kind is dict or kind is bytes:
            self.references.secrets(obj)
        elif kind is types.ModuleType:
            return self.references.module(obj)
        elif kind is ENVIRONMENT:
            raise self.references.refusal(
                obj, "the environment variables of this machine", "read os.environ where it is used"
            )
        elif kind is types.MethodType:
            return own_method(obj)
        elif kind not in self._reducers:
            self._reducers[kind] = reducer_of(obj)
        reducer = self._reducers.get(kind)
        return NotImplemented if reducer is None else reducer(obj)

    def save_global(self, obj: Any, name: str | None = None) -> None:
        """Write a class, a function or another object by the name under which it will be found."""
        home = self.references.home(obj, name)
        if home is None:
            super().save_global(obj, name or other_name(obj))
            return
        self.save(home.module)
        self.save(home.name)
        self.write(pickle.STACK_GLOBAL)
        self.memoize(obj)

    def save_text(self, obj: str) -> None:
        """Write a text once, however many equal ones are in memory."""
        first = self._texts.setdefault(obj, obj)
        known = self.memo.get(id(first))
        if known is None:
            super().save_str(first)
        else:
            self.write(self.get(known[0]))

    def save_buffer(self, obj: pickle.PickleBuffer) -> None:
        """Write the memory of an array.

        Python's own way fails when the second array of no or one byte comes: their bytes are one object.
        """
        with obj.raw() as memory:
            if not memory.readonly:
                super().save_bytearray(bytearray(memory))
                return
            content = memory.tobytes()
        known = self.memo.get(id(content))
        if known is None:
            super().save_bytes(content)
        else:
            self.write(self.get(known[0]))

    def save_sorted_set(self, obj: set[Any]) -> None:
        """Write a set by the order of its items: texts are in another order in each process."""
        self.write(pickle.EMPTY_SET)
        self.memoize(obj)
        self.write(pickle.MARK)
        for item in in_order(obj):
            self.save(item)
        self.write(pickle.ADDITEMS)

    def save_sorted_frozenset(self, obj: frozenset[Any]) -> None:
        """Write a frozenset by the order of its items."""
        self.write(pickle.MARK)
        for item in in_order(obj):
            self.save(item)
        if id(obj) in self.memo:  # an item refers back to it
            self.write(pickle.POP_MARK + self.get(self.memo[id(obj)][0]))
            return
        self.write(pickle.FROZENSET)
        self.memoize(obj)

    dispatch = {  # noqa: RUF012 - pickle's own way to say how a type is written
        **PythonPickler.dispatch,
        str: save_text,
        pickle.PickleBuffer: save_buffer,
        set: save_sorted_set,
        frozenset: save_sorted_frozenset,
        types.FunctionType: save_global,
    }


def own_method(method: types.MethodType) -> Any:
    """How a bound method is pickled that was hung on its object; Python's own way asks the class for it."""
    owner, function = method.__self__, method.__func__
    cls = owner if isinstance(owner, type) else type(owner)
    written = inspect.getattr_static(cls, getattr(function, "__name__", ""), None)
    if getattr(written, "__func__", written) is function:
        return NotImplemented
    return function.__get__, (owner,)


def other_name(obj: Any) -> str | None:
    """The name that an object of a library has in its module, where that is not the name it gives itself.

    Functions that were wrapped go by the name of what they wrap: patsy's `center` calls itself `Center`.
    """
    module = sys.modules.get(getattr(obj, "__module__", None) or "")
    own = getattr(obj, "__qualname__", None)
    if module is None or own is None or "." in own or getattr(module, own, None) is obj:
        return None
    return next((name for name, value in list(vars(module).items()) if value is obj), None)


def in_order(items: Iterable[Any]) -> list[Any]:
    """The items of a set in an order that is the same in each process, as far as they have one."""
    found = list(items)
    try:
        return sorted(found, key=lambda item: (type(item).__qualname__, rank(item)))
    except TypeError:  # not of a kind that can be compared
        return found


def rank(item: Any) -> Any:
    """What an item of a set is sorted by."""
    if isinstance(item, Enum):
        return item.name
    if item is None:
        return 0
    if isinstance(item, (type, *FUNCTIONS)):
        return f"{item.__module__}.{item.__qualname__}"
    if isinstance(item, (str, bytes, int, float)):
        return item
    if isinstance(item, tuple):
        return tuple((type(part).__qualname__, rank(part)) for part in item)
    raise TypeError


@functools.lru_cache(maxsize=1)
def joblib_pickler() -> type[Rehoming]:
    """The class of picklers that write joblib's format: the buffers of arrays as they are."""
    import numpy as np
    from joblib.numpy_pickle import NumpyPickler

    class JoblibPickler(Rehoming, NumpyPickler):  # type: ignore[misc]
        def __init__(self, handle: IO[bytes], references: References) -> None:
            NumpyPickler.__init__(self, handle, protocol=PROTOCOL)
            self.references = references
            self._texts = {}
            self._reducers = {}

        def save(self, obj: Any, *args: Any) -> None:
            if not (type(obj) in (np.ndarray, np.matrix) and obj.dtype.hasobject):
                super().save(obj, *args)
                return
            # joblib would leave the objects of such an array to a pickler that knows nothing of us
            PythonPickler.save(self, self._create_array_wrapper(obj))
            self.framer.commit_frame(force=True)
            Rehoming(self.file_handle, self.references).dump(obj)

    return JoblibPickler


def write_pickle(obj: Any, path: Path, name: str, refer: Refer, *, joblib: bool) -> dict[str, set[str]]:
    """Write an object to a file; nothing is left of it when that fails.

    Args:
        obj: The live object.
        path: The file.
        name: What to call the object.
        refer: Says where the code of a class or function will live.
        joblib: True for joblib's format, False for plain pickle.

    Returns:
        Modules that reading it needs, each with the names taken from there.

    Raises:
        NotServableError: It holds what cannot be saved, or refers to what can live nowhere.
    """
    pickler = joblib_pickler() if joblib else Rehoming
    references = References(obj, name, refer)
    try:
        with path.open("wb") as handle, references.refusing():
            try:
                pickler(handle, references).dump(obj)
            except RecursionError:
                handle.seek(0)
                handle.truncate()
                references.modules.clear()
                with deep_recursion():
                    pickler(handle, references).dump(obj)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return references.modules


@contextmanager
def deep_recursion() -> Iterator[None]:
    """Let Python nest its calls more deeply for a while."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, DEEP_RECURSION))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


def save_pickle(framework: str, obj: Any, folder: Path, name: str, refer: Refer, *, joblib: bool) -> Saved:
    """Save an object as a pickle, in joblib's format or the plain one.

    Raises:
        NotServableError: See `write_pickle`.
    """
    file = f"{name}.joblib" if joblib else f"{name}.pkl"
    modules = write_pickle(obj, folder / file, name, refer, joblib=joblib)
    if joblib:
        modules.setdefault("joblib", set()).add("load")
        loader = Loader(("import joblib",), f'joblib.load(folder / "{file}")')
    else:
        loader = Loader(("import pickle",), f'pickle.loads((folder / "{file}").read_bytes())')
    return saved(framework, obj, folder, [file], loader, modules)
