"""Where in an object something sits, and what to call it: the words of refusals."""

from __future__ import annotations

import functools
import types
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from typing import Any

__all__ = ["everything", "handle_word", "locate", "locate_where", "type_name"]

FUNCTIONS = (types.FunctionType, types.BuiltinFunctionType)
#: Objects looked at when saying where something sits; beyond that the place is left out.
LOCATE_LIMIT = 100_000
#: Attributes that name the parts of a composed estimator, and what such a part is called.
COMPOSED = {
    "steps": "step",
    "transformers": "transformer",
    "transformer_list": "transformer",
    "estimators": "estimator",
}
#: Full names of classes whose objects live in this process only, and what to call one.
HANDLES = {
    "_io._IOBase": "an open file",
    "_thread.lock": "a lock",
    "_thread.RLock": "a lock",
    "multiprocessing.synchronize.SemLock": "a lock of processes",
    "threading.Thread": "a thread",
    "threading.local": "values of a thread",
    "_thread._local": "values of a thread",
    "concurrent.futures._base.Executor": "a pool of workers",
    "multiprocessing.pool.Pool": "a pool of processes",
    "multiprocessing.process.BaseProcess": "a process",
    "subprocess.Popen": "a process",
    "_socket.socket": "a socket",
    "ssl.SSLContext": "an SSL context",
    "_ssl._SSLContext": "an SSL context",
    "sqlite3.Connection": "a database connection",
    "sqlite3.Cursor": "a database cursor",
    "sqlalchemy.engine.base.Engine": "a database engine",
    "sqlalchemy.engine.base.Connection": "a database connection",
    "psycopg2.extensions.connection": "a database connection",
    "psycopg.Connection": "a database connection",
    "asyncio.events.AbstractEventLoop": "an event loop",
    "_asyncio.Future": "an asyncio task or future",
    "_contextvars.ContextVar": "a context variable",
    "builtins.generator": "a generator",
    "builtins.async_generator": "an async generator",
    "builtins.coroutine": "a coroutine",
    "builtins.frame": "a stack frame",
    "builtins.traceback": "a traceback",
    "builtins.memoryview": "a view into memory",
    "builtins.code": "a code object",
    "weakref.ReferenceType": "a weak reference",
    "builtins.weakref": "a weak reference",
    "mmap.mmap": "a mapped file",
    "os._Environ": "the environment variables of this machine",
    "tempfile._TemporaryFileWrapper": "an open file",
    "requests.sessions.Session": "an HTTP session",
    "httpx._client.BaseClient": "an HTTP client",
}
#: The same that are harmless copies of bytes in memory.
NO_HANDLES = ("_io.BytesIO", "_io.StringIO")


def type_name(obj: Any) -> str:
    """Full name of an object's class, e.g. `sklearn.pipeline.Pipeline`."""
    return f"{type(obj).__module__}.{type(obj).__qualname__}"


def handle_word(obj: Any) -> str:
    """What to call an object that only lives in this process: "an open file"; "" for all others.

    Example:
        >>> import threading
        >>> handle_word(threading.Lock()), handle_word([])
        ('a lock', '')
    """
    names = [f"{cls.__module__}.{cls.__qualname__}" for cls in type(obj).__mro__]
    if any(name in NO_HANDLES for name in names):
        return ""
    return next((HANDLES[name] for name in names if name in HANDLES), "")


def locate(root: Any, target: Any) -> str:
    """Where in `root` the object `target` sits: "step 'clip' of the Pipeline, its func"; "" if not found."""
    return locate_where(root, lambda node: node is target)


def everything(root: Any) -> Iterator[Any]:
    """All objects inside `root`, those nearest to it first; at most `LOCATE_LIMIT` of them."""
    return (node for node, _ in walk(root))


def locate_where(root: Any, found: Callable[[Any], bool]) -> str:
    """Where in `root` the first object sits for which `found` is true; "" if there is none."""
    return next((", ".join(path) for node, path in walk(root) if found(node)), "")


def walk(root: Any) -> Iterator[tuple[Any, tuple[str, ...]]]:
    """All objects inside `root`, each with the words for where it is."""
    queue: deque[tuple[Any, tuple[str, ...]]] = deque([(root, ())])
    seen = {id(root)}
    keep: list[Any] = []  # ids are only good for as long as their objects live
    while queue and len(seen) <= LOCATE_LIMIT:
        node, path = queue.popleft()
        yield node, path
        for word, child in children(node):
            if id(child) not in seen:
                seen.add(id(child))
                keep.append(child)
                queue.append((child, (*path, word) if word else path))


def children(node: Any) -> Iterator[tuple[str, Any]]:
    """The parts of an object, each with the word for where it is ("" = not worth a word)."""
    if isinstance(node, (str, bytes, int, float, type, types.ModuleType, *FUNCTIONS)) or node is None:
        return
    if isinstance(node, dict):
        if isinstance(node, defaultdict):
            yield "its default_factory", node.default_factory
        yield from ((f"key {key!r}", value) for key, value in node.items())
    elif isinstance(node, (list, tuple, set, frozenset)):
        for i, value in enumerate(node):
            yield (f"item {i}" if not isinstance(value, tuple) else ""), value
    elif isinstance(node, types.MethodType):
        yield f"the object of its method {node.__name__}", node.__self__
        yield "its function", node.__func__
    else:
        attributes = attributes_of(node)
        for name, word in COMPOSED.items():
            entries = attributes.get(name)
            for entry in entries if isinstance(entries, (list, tuple)) else ():
                if isinstance(entry, tuple) and len(entry) >= 2 and isinstance(entry[0], str):
                    yield f"{word} {entry[0]!r} of the {type(node).__name__}", entry[1]
        yield from ((f"its {name}", value) for name, value in attributes.items())


def attributes_of(node: Any) -> dict[str, Any]:
    """What an object holds by name: its dictionary, its slots, and what makes up a partial."""
    found: dict[str, Any] = {}
    for cls in type(node).__mro__:
        slots = cls.__dict__.get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            value = getattr(node, name, None)
            if value is not None and name not in ("__dict__", "__weakref__"):
                found[name] = value
    own = getattr(node, "__dict__", None)
    if isinstance(own, dict):
        found.update(own)
    if isinstance(node, functools.partial):
        found |= {"func": node.func, "args": node.args, "keywords": node.keywords}
    if type(node).__module__ == "numpy" and type(node).__name__ == "ndarray" and node.dtype.hasobject:
        found["elements"] = node.tolist()
    return found
