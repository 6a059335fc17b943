"""Values that live in this process only: they cannot go along, and can be made again where they are used."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextvars
import io
import mmap
import multiprocessing.process
import socket
import subprocess
import sys
import threading
import types
import weakref
from typing import Any

__all__ = ["handle_of"]

ITERATORS = (enumerate, filter, map, reversed, zip)
GENERATORS = (types.GeneratorType, types.AsyncGeneratorType, types.CoroutineType)
LOCKS = (
    type(threading.Lock()),
    type(threading.RLock()),
    threading.Condition,
    threading.Event,
    threading.Semaphore,
    threading.Barrier,
    asyncio.Lock,
    asyncio.Event,
    asyncio.Condition,
    asyncio.Semaphore,
)
#: Kinds of the standard library, each with the words for it.
KINDS: tuple[tuple[tuple[type, ...], str], ...] = (
    (GENERATORS, "a generator or coroutine"),
    (ITERATORS, "an iterator, which can be read once"),
    (LOCKS, "a lock"),
    ((threading.Thread, threading.local, multiprocessing.process.BaseProcess), "a thread or process"),
    ((subprocess.Popen,), "a running program"),
    ((socket.socket,), "a socket"),
    ((asyncio.AbstractEventLoop, asyncio.Future), "part of a running event loop"),
    ((concurrent.futures.Executor, concurrent.futures.Future), "a pool of threads or processes"),
    ((contextvars.ContextVar, contextvars.Token, contextvars.Context), "a context variable"),
    ((weakref.ref, weakref.ProxyType), "a weak reference"),
    ((types.FrameType, types.TracebackType), "part of a running program"),
    ((mmap.mmap, memoryview), "a view of memory"),
)
#: Classes of libraries by the top of their module and, as a part of it, their name.
LIBRARY_KINDS = (
    ("sqlite3", ("Connection", "Cursor"), "a database connection"),
    ("psycopg", ("Connection", "Cursor"), "a database connection"),
    ("psycopg2", ("connection", "cursor"), "a database connection"),
    ("duckdb", ("Connection",), "a database connection"),
    ("_duckdb", ("Connection",), "a database connection"),
    ("pymysql", ("Connection", "Cursor"), "a database connection"),
    ("sqlalchemy", ("Engine", "Connection", "Session"), "a database connection"),
    ("pymongo", ("Client", "Database", "Collection"), "a database connection"),
    ("redis", ("Redis", "Client"), "a database connection"),
    ("snowflake", ("Connection", "Session"), "a database connection"),
    ("pyspark", ("Session", "Context"), "a connection to a cluster"),
    ("dask", ("Client",), "a connection to a cluster"),
    ("distributed", ("Client",), "a connection to a cluster"),
    ("requests", ("Session",), "a network session"),
    ("httpx", ("Client",), "a network session"),
    ("aiohttp", ("Session",), "a network session"),
    ("boto3", ("Session", "Resource"), "a network session"),
    ("botocore", ("",), "a network session"),
    ("openai", ("OpenAI",), "a network session"),
    ("anthropic", ("Anthropic",), "a network session"),
    ("h5py", ("File", "Group", "Dataset"), "an open file"),
    ("tkinter", ("",), "a window"),
    ("_tkinter", ("",), "a window"),
    ("ipywidgets", ("",), "a widget of the notebook"),
    ("IPython", ("",), "part of the notebook"),
    ("ipykernel", ("",), "part of the notebook"),
    ("matplotlib", ("Figure", "Axes"), "a drawing of the notebook"),
)
MAKE_IT = "make it inside {owner}, or in a method of a service class decorated with @bentoml.on_startup"
HINTS = {
    "a generator or coroutine": "make it inside {owner}, or turn it into a list first",
    "an iterator, which can be read once": "turn it into a list first: list(...)",
    "part of the notebook": "take it out of {owner}: there is no notebook where it is served",
    "a widget of the notebook": "take it out of {owner}; read the widget's value into a variable instead",
    "a drawing of the notebook": "make it inside {owner}",
    "a lock": "make it inside {owner}, or as an attribute that the class sets in __init__",
    "an open file": "open it inside {owner}, or read what it holds into a variable",
}


def handle_of(value: Any) -> tuple[str, str] | None:
    """What a value is that cannot go along, and how to mend it (with `{owner}` in it); None = it may.

    Example:
        >>> import threading
        >>> handle_of(threading.Lock())[0]
        'a lock'
    """
    what = _kind(value)
    return (what, HINTS.get(what, MAKE_IT)) if what else None


def _kind(value: Any) -> str:
    kind = type(value)
    if isinstance(value, io.IOBase) and not isinstance(value, (io.BytesIO, io.StringIO)):
        return "an open file"
    for kinds, what in KINDS:
        if isinstance(value, kinds):
            return what
    if kind.__module__ in ("builtins", "itertools") and hasattr(kind, "__next__"):
        return "an iterator, which can be read once"
    for base in kind.__mro__:
        root = base.__module__.partition(".")[0]
        for module, names, what in LIBRARY_KINDS:
            if root == module and any(name in base.__name__ for name in names):
                return what
    owner = value.__self__ if isinstance(value, types.MethodType) else None
    if owner is not None and not isinstance(owner, type):
        return _kind(owner)
    console = sys.modules.get("__main__")
    return "the notebook itself" if value is console else ""
