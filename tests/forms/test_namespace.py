"""What a form offers, whatever the objects of the notebook do when they are looked at."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bento_jupyter.forms.namespace import built_bentos, data, methods, servable
from bento_jupyter.workspace import BuiltBento


class Proxy:
    """Asks a database that is gone for everything, its class included."""

    def __getattribute__(self, name: str) -> Any:
        raise RuntimeError(name)


class Broken:
    """Fails wherever a form looks; its method can be served all the same."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(name)

    @property
    def shape(self) -> tuple[int, ...]:
        raise ValueError("no shape yet")

    def answer(self, x: int) -> int:
        return x


class Holder:
    """Of a size that one of its parts does not tell."""

    def __init__(self) -> None:
        self.weights, self.lazy, self.proxy = np.zeros(1024), Broken(), Proxy()

    def answer(self, x: int) -> int:
        return x


class Unsized(list[int]):
    def __len__(self) -> int:
        raise RuntimeError("not read yet")


class Frame:
    iloc = None

    def __len__(self) -> int:
        raise RuntimeError("not read yet")

    @property
    def shape(self) -> tuple[Any, ...]:
        return (Unprintable(), 2)


class Unprintable:
    def __str__(self) -> str:
        raise RuntimeError("unprintable")


class Stopping:
    @property
    def iloc(self) -> None:
        raise KeyboardInterrupt


def answer(x: int) -> int:
    return x


@pytest.fixture
def namespace(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    for each in (Proxy, Broken, Holder, Unsized, Frame, answer):
        monkeypatch.setattr(each, "__module__", "__main__")
    awkward = {
        "proxy": Proxy(),
        "broken": Broken(),
        "holder": Holder(),
        "unsized": Unsized(),
        "frame": Frame(),
    }
    return {**awkward, "answer": answer, "rows": [1, 2], "built": BuiltBento("a:1", Path("a"))}


def test_an_object_that_fails_keeps_no_other_from_being_served(namespace: dict[str, Any]) -> None:
    offered = {each.name: each.words for each in servable(namespace)}
    assert offered.keys() == {"broken", "holder", "answer"}
    assert (offered["broken"], offered["answer"]) == ("Broken", "function")
    assert offered["holder"].startswith("Holder, 8")


def test_an_object_that_fails_keeps_no_other_from_being_data(namespace: dict[str, Any]) -> None:
    assert {each.name: each.words for each in data(namespace)} == {"frame": "Frame", "rows": "list of 2"}


def test_bentos_are_found_beside_objects_that_fail(namespace: dict[str, Any]) -> None:
    assert built_bentos(namespace) == {"a:1": namespace["built"]}


def test_endpoints_are_found_beside_objects_that_fail(namespace: dict[str, Any]) -> None:
    assert methods({name: namespace[name] for name in ("proxy", "broken", "answer")}) == ["answer"]
    assert methods({"broken": namespace["broken"]}) == ["answer"]
    assert methods({"proxy": namespace["proxy"]}) == []


def test_a_person_who_stops_it_is_heard() -> None:
    with pytest.raises(KeyboardInterrupt):
        data({"stopping": Stopping()})
