"""Runs in the case's kernel: what the notebook answers, whether the served Bento answers the same.

Stands alone and shares nothing with `bento_jupyter.capture`: what compares here has not proven there.
"""

from __future__ import annotations

import ast
import copy
import hashlib
import inspect
import json
import math
import os
import pickle
import sys
import time
from dataclasses import asdict, dataclass, is_dataclass
from enum import Enum
from typing import Any

__all__ = ["agreed", "answers", "built", "changed", "remember"]

TASK_TIMEOUT = 30.0
#: Names of the notebook that IPython or the last cell changes itself.
NOT_THEIRS = ("In", "Out", "exit", "quit", "get_ipython", "built")
#: Bytes of a value from which on a change in it is not looked for.
LARGE = 1_000_000
#: Relative difference up to which floats are the same.
CLOSE = 1e-9


@dataclass
class Asked:
    """A call of the notebook, and what it came to."""

    text: str
    endpoint: str
    is_method: bool
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    expected: Any = None
    error: str = ""


class Different(Exception):
    """The served answer is another one than the notebook's."""


# ------------------------------------------------------------------------- what a build may not change

_before: dict[str, Any] = {}
_asked: dict[str, list[Asked]] = {}


def remember(namespace: dict[str, Any]) -> None:
    """Look at the kernel as it is before the build."""
    _before.update(_state(namespace))


def changed(namespace: dict[str, Any]) -> str:
    """What the build has changed in the kernel; "" = nothing."""
    now = _state(namespace)
    return "; ".join(
        f"{what}: {_differing(before, now[what])}" for what, before in _before.items() if before != now[what]
    )


def _state(namespace: dict[str, Any]) -> dict[str, Any]:
    own = {
        name: value
        for name, value in namespace.items()
        if not name.startswith("_") and name not in NOT_THEIRS
    }
    classes = {name: value.__module__ for name, value in own.items() if isinstance(value, type)}
    return {
        "names": {name: id(value) for name, value in own.items()},
        "values": {name: _digest(value) for name, value in own.items()},
        "classes": classes,
        "folder": os.getcwd(),
        "files": sorted(
            os.path.join(at, name)
            for at, _, names in os.walk(".")
            for name in names
            if "__pycache__" not in at and not name.endswith(("-journal", "-wal", "-shm"))
        ),
        "sys.path": list(sys.path),
        "os.environ": dict(os.environ),
        "notebook_code in sys.modules": "notebook_code" in sys.modules,
        "__main__": id(sys.modules["__main__"]),
    }


def _digest(value: Any) -> str:
    """A digest of plain data, which a build must leave as it is; "" for all else."""
    plain = {list, dict, set, bytearray}
    for module, names in (("numpy", ("ndarray",)), ("pandas", ("DataFrame", "Series"))):
        if library := sys.modules.get(module):
            plain.update(getattr(library, name) for name in names)
    if type(value) not in plain or sys.getsizeof(value) > LARGE:
        return ""
    try:
        if hasattr(value, "iloc"):  # its pickle also tells how its columns lie in memory
            hashed = sys.modules["pandas"].util.hash_pandas_object(value)
            header = f"{list(getattr(value, 'columns', ()))} {getattr(value, 'dtypes', '')}"
            return header + hashlib.sha256(hashed.to_numpy().tobytes()).hexdigest()
        return hashlib.sha256(pickle.dumps(value)).hexdigest()
    except Exception:
        return ""


def _differing(before: Any, now: Any) -> str:
    if isinstance(before, dict):
        return ", ".join(
            str(key) for key in {**before, **now} if before.get(key, Different) != now.get(key, Different)
        )
    if isinstance(before, list):
        return ", ".join(map(str, [*set(now) ^ set(before)])) or "their order"
    return f"{before} before, {now} now"


# -------------------------------------------------------------------------------- what the notebook says


def built(namespace: dict[str, Any]) -> tuple[str, bool, str]:
    """Of what the last cell built: its folder, whether it has a proof, and its plan."""
    bento = namespace["built"] if "built" in namespace else namespace["Out"][max(namespace["Out"])]
    return str(bento.path), bento.proof is not None, str(bento.plan)


async def answers(namespace: dict[str, Any], calls: dict[str, list[str]]) -> None:
    """Evaluate calls in the notebook, by kind, and keep what they came to, for `agreed`."""
    for kind, texts in calls.items():
        _asked[kind] = [await _answer(namespace, text) for text in texts]


async def _answer(namespace: dict[str, Any], text: str) -> Asked:
    tree = ast.parse(text.removeprefix("await ").strip(), mode="eval").body
    if not isinstance(tree, ast.Call):
        raise TypeError(f"{text!r} is no call")
    is_method = isinstance(tree.func, ast.Attribute)
    name = getattr(tree.func, "attr" if is_method else "id", "")

    def value(node: ast.expr) -> Any:
        return eval(compile(ast.Expression(node), "<check>", "eval"), namespace)

    def arguments() -> tuple[tuple[Any, ...], dict[str, Any]]:
        args: list[Any] = []
        for node in tree.args:
            args.extend(value(node.value)) if isinstance(node, ast.Starred) else args.append(value(node))
        kwargs: dict[str, Any] = {}
        for item in tree.keywords:
            kwargs.update({item.arg: value(item.value)} if item.arg else value(item.value))
        return tuple(args), kwargs

    # Twice, since the call may change what it is given.
    asked = Asked(text, name, is_method, *_copied(arguments()))
    try:
        args, kwargs = arguments()
        asked.expected = await _whole(value(tree.func)(*args, **kwargs))
    except Exception as error:
        asked.error = f"{type(error).__name__}: {error}"
    return asked


def _copied(value: Any) -> Any:
    try:
        return copy.deepcopy(value)
    except Exception:
        return value


async def _whole(value: Any) -> Any:
    if inspect.isawaitable(value):
        value = await value
    if inspect.isgenerator(value):
        return Stream(value)
    if inspect.isasyncgen(value):
        return Stream([item async for item in value])
    return _copied(value)


class Stream(list):  # type: ignore[type-arg]
    """The parts of a streamed answer."""


# ------------------------------------------------------------------------------- what the served one says


def agreed(url: str) -> str:
    """Whether what is served at `url` answers as the notebook did; "" = yes, else the first difference."""
    from bento_jupyter.client.endpoint import Endpoints

    endpoints = Endpoints(url)
    try:
        for place, asked in enumerate(_asked.get("check", ())):
            _must_agree(endpoints, asked)
            if place == 0:
                _must_agree_in_json(endpoints, asked)
        for kind in ("refuses", "raises"):
            for asked in _asked.get(kind, ()):
                _must_fail(endpoints, asked, kind)
    except Different as different:
        return str(different)
    return ""


def _route(endpoints: Any, asked: Asked) -> dict[str, Any]:
    routes = {route["name"]: route for route in endpoints.schema["routes"]}
    if asked.endpoint in routes:
        return routes[asked.endpoint]
    if len(routes) == 1 and not asked.is_method:  # a function may go by another name than its endpoint
        return next(iter(routes.values()))
    raise Different(f"{asked.text}: no endpoint {asked.endpoint!r} among {', '.join(routes)}")


def _must_agree(endpoints: Any, asked: Asked) -> None:
    if asked.error:
        raise Different(f"{asked.text} raises in the notebook: {asked.error}")
    route = _route(endpoints, asked)
    try:
        served = (
            _task(endpoints, route, asked)
            if route.get("is_task")
            else endpoints.call(route["name"], *asked.args, **asked.kwargs).value
        )
    except Exception as error:
        raise Different(f"{asked.text} -> {type(error).__name__}: {error}"[:600]) from error
    if problem := difference(asked.expected, served):
        raise Different(f"{asked.text}: {problem}")


def _task(endpoints: Any, route: dict[str, Any], asked: Asked) -> Any:
    """Submit a task, wait for its end."""
    import httpx

    names = list(route["input"].get("properties", {}))
    body = {**dict(zip(names, asked.args, strict=False)), **asked.kwargs}
    with httpx.Client(base_url=endpoints.url, trust_env=False, timeout=TASK_TIMEOUT) as client:
        task = client.post(f"{route['route']}/submit", json=_plain(body)).raise_for_status().json()["task_id"]
        deadline = time.monotonic() + TASK_TIMEOUT
        while True:
            status = client.get(f"{route['route']}/status", params={"task_id": task}).json()["status"]
            if status == "completed":
                return client.get(f"{route['route']}/get", params={"task_id": task}).json()
            if status not in ("pending", "in_progress") or time.monotonic() > deadline:
                raise Different(f"{asked.text}: the task is {status}")
            time.sleep(0.1)


def _must_agree_in_json(endpoints: Any, asked: Asked) -> None:
    """What curl would send and get, where that is plain JSON on both sides."""
    import httpx

    route = _route(endpoints, asked)
    if not _is_plain([list(asked.args), asked.kwargs, asked.expected]) or route.get("is_task"):
        return
    names = list(route["input"].get("properties", {}))
    if route["input"].get("root_input") or isinstance(asked.expected, str | Stream):
        return
    body = {**dict(zip(names, asked.args, strict=False)), **asked.kwargs}
    response = httpx.post(endpoints.url + route["route"], json=body, trust_env=False, timeout=60)
    if response.status_code != 200:
        raise Different(f"{asked.text} as plain JSON -> {response.status_code}: {response.text[:300]}")
    try:
        served = response.json() if response.content else None
    except ValueError:
        raise Different(f"{asked.text} as plain JSON -> {response.text[:200]!r}") from None
    if problem := difference(json.loads(json.dumps(asked.expected)), served):
        raise Different(f"{asked.text} as plain JSON: {problem}")


def _must_fail(endpoints: Any, asked: Asked, kind: str) -> None:
    from bento_jupyter.errors import CallError

    route = _route(endpoints, asked)
    try:
        served = endpoints.call(route["name"], *asked.args, **asked.kwargs).value
    except CallError as error:
        if kind == "refuses":
            said = _posted(endpoints, route, asked) if error.status_code is None else error.status_code
            if said is not None and not 400 <= said < 500:
                raise Different(f"{asked.text} is answered {said} instead of 400: {error}") from error
        return
    raise Different(f"{asked.text} has to be refused and is answered: {served!r}"[:400])


def _posted(endpoints: Any, route: dict[str, Any], asked: Asked) -> int | None:
    """Status of what our client would not even send, sent by somebody else's."""
    import httpx

    names = list(route["input"].get("properties", {}))
    body = _plain({**dict(zip(names, asked.args, strict=False)), **asked.kwargs})
    try:
        response = httpx.post(endpoints.url + route["route"], json=body, trust_env=False, timeout=60)
    except (TypeError, ValueError):
        return None
    return response.status_code


def _is_plain(value: Any) -> bool:
    if isinstance(value, dict):
        return all(type(key) is str and _is_plain(item) for key, item in value.items())
    if type(value) is list:
        return all(map(_is_plain, value))
    if type(value) is float:
        return math.isfinite(value)
    return value is None or type(value) in (int, str, bool)


def _plain(value: Any) -> Any:
    """JSON as a person would write it who has never heard of us."""
    if hasattr(value, "to_dict") and hasattr(value, "iloc"):
        return value.to_dict("records") if hasattr(value, "columns") else value.tolist()
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    return value


# -------------------------------------------------------------------------------------- are they the same


def difference(expected: Any, served: Any, where: str = "") -> str:
    """How two answers differ; "" when they are the same: value, type, dtype, shape, columns, index, order."""
    if isinstance(expected, Stream):
        return _streams(expected, served, where)
    if type(expected).__module__.partition(".")[0] == "torch" and hasattr(expected, "detach"):
        plain = [
            each.detach().cpu().numpy() if hasattr(each, "detach") else each for each in (expected, served)
        ]
        return difference(*plain, where)
    if type(expected).__name__ == "NAType":
        return "" if expected is served else f"{expected!r} expected, {served!r} served{where}"
    if hasattr(expected, "model_dump"):
        if type(expected) is type(served):
            served = served.model_dump(mode="json")
        return difference(expected.model_dump(mode="json"), served, where)
    if is_dataclass(expected) and not isinstance(expected, type):
        return difference(asdict(expected), asdict(served) if is_dataclass(served) else served, where)
    if isinstance(expected, Enum) and not isinstance(served, Enum):
        return difference(expected.value, served, where)
    for module, names in (("pandas", ("DataFrame", "Series", "Index")), ("numpy", ("ndarray", "generic"))):
        library = sys.modules.get(module)
        kinds = tuple(getattr(library, name) for name in names) if library else ()
        if isinstance(expected, kinds):
            return globals()[f"_{module}"](expected, served, where)
    if isinstance(expected, dict):
        return _dicts(expected, served, where)
    if isinstance(expected, list | tuple):
        return _sequences(expected, served, where)
    if type(expected) is not type(served):
        return (
            f"{expected!r} ({type(expected).__name__}) expected, {served!r} ({type(served).__name__})"
            f" served{where}"
        )[:400]
    if isinstance(expected, float):
        same = math.isclose(expected, served, rel_tol=CLOSE) or (math.isnan(expected) and math.isnan(served))
        return "" if same else f"{expected!r} expected, {served!r} served{where}"
    try:
        same = bool(expected == served)
    except Exception as error:
        return f"cannot be compared: {error}{where}"
    return "" if same else f"{expected!r} expected, {served!r} served{where}"[:400]


def _streams(expected: list[Any], served: Any, where: str) -> str:
    if isinstance(served, bytes):
        served = served.decode()
    if isinstance(served, str):
        whole = "".join(item if isinstance(item, str) else json.dumps(_plain(item)) for item in expected)
        text = all(isinstance(item, str) for item in expected)
        spaced = "".join(served.split()) == "".join(whole.split()) and not text
        return "" if served == whole or spaced else f"{whole!r} expected, {served!r} served{where}"
    return _sequences(list(expected), list(served), where)


def _dicts(expected: dict[Any, Any], served: Any, where: str) -> str:
    if not isinstance(served, dict):
        return f"a dict expected, {served!r} served{where}"[:400]
    if list(expected) != list(served) and set(expected) != set(served):
        return f"keys {list(expected)} expected, {list(served)} served{where}"[:400]
    return next(filter(None, (difference(expected[k], served[k], f"{where}[{k!r}]") for k in expected)), "")


def _sequences(expected: Any, served: Any, where: str) -> str:
    kinds = (list, tuple) if isinstance(expected, tuple) else (type(expected),)
    if not isinstance(served, kinds):
        return f"a {type(expected).__name__} expected, {served!r} served{where}"[:400]
    if len(expected) != len(served):
        return f"{len(expected)} items expected, {len(served)} served{where}"
    pairs = enumerate(zip(expected, served, strict=True))
    return next(filter(None, (difference(a, b, f"{where}[{i}]") for i, (a, b) in pairs)), "")


def _numpy(expected: Any, served: Any, where: str) -> str:
    import numpy as np

    if np.ndim(expected) == 0 and not isinstance(served, np.ndarray | np.generic):
        return difference(expected.item(), served, where)
    if not isinstance(served, np.ndarray | np.generic):
        return f"an array of {expected.dtype} expected, {served!r} served{where}"[:400]
    if expected.dtype != served.dtype and not (expected.dtype.kind == served.dtype.kind == "U"):
        return f"dtype {expected.dtype} expected, {served.dtype} served{where}"
    if expected.shape != served.shape:
        return f"shape {expected.shape} expected, {served.shape} served{where}"
    if expected.dtype.kind in "fc":
        close = CLOSE if expected.dtype.itemsize > 4 else 1e-6
        same = np.allclose(expected, served, rtol=close, atol=0, equal_nan=True)
    elif expected.dtype.kind == "O":
        return difference(expected.tolist(), served.tolist(), where)
    elif expected.dtype.kind in "mM":
        same = np.array_equal(expected, served, equal_nan=True)
    else:
        same = np.array_equal(expected, served)
    return "" if same else f"{expected!r} expected, {served!r} served{where}"[:600]


def _pandas(expected: Any, served: Any, where: str) -> str:
    import pandas as pd
    from pandas import testing

    check = {
        pd.DataFrame: testing.assert_frame_equal,
        pd.Series: testing.assert_series_equal,
    }.get(type(expected), testing.assert_index_equal)
    options = {} if check is testing.assert_index_equal else {"check_freq": False}
    try:
        check(expected, served, rtol=CLOSE, atol=0, **options)
    except (AssertionError, TypeError) as error:
        return f"{' '.join(str(error).split())}{where}"[:500]
    return ""
