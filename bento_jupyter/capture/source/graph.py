"""The statements of the emitted module, what each needs before it can run, and the order that follows."""

from __future__ import annotations

import ast
import functools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import CodeType
from typing import Any

from bento_jupyter.capture.parts import Place

__all__ = ["Node", "Use", "eager_names", "needs", "ordered"]


@dataclass(frozen=True)
class Use:
    """Who needs something, and where: for the reasons in a plan and for refusals.

    Attributes:
        owner: Name of the function, class or object that needs it; "" = the user asked for it.
        place: Where it is used.
        why: In words; default: "<owner> uses it".
    """

    owner: str = ""
    place: Place | None = None
    why: str = ""

    def __str__(self) -> str:
        return self.why or (f"{self.owner} uses it" if self.owner else "the endpoint")

    @property
    def where(self) -> str:
        """For refusals: "which predict uses (cell [3], line 4)"."""
        place = f" ({self.place})" if self.place else ""
        return f", which {self.owner} uses{place}" if self.owner else place


@dataclass(eq=False)
class Node:
    """One statement of the emitted module.

    Attributes:
        name: Name it binds.
        kind: `function`, `class`, `constant`, `assignment`, `alias` or `object`.
        value: The live object.
        place: Where it was executed, or is used first.
        use: What needs it.
        render: Makes its text; called when all names are known.
        now: Names of the module that it reads while it is executed.
        later: Names that it reads when it is called.
        order: Number and line of the cell it comes from.
        codes: Live code that the emitted text has to compile to.
        last: Whether it comes after all definitions: they may change what it sets while they are made.
    """

    name: str
    kind: str
    value: Any
    place: Place | None
    use: Use
    render: Callable[[], str]
    now: set[str] = field(default_factory=set)
    later: set[str] = field(default_factory=set)
    order: tuple[int, int] = (0, 0)
    codes: list[CodeType] = field(default_factory=list)
    last: bool = False


#: Statements that may wait until the objects they read are loaded.
DEFERRED = ("object", "alias", "constant")


def ordered(nodes: Mapping[str, Node]) -> list[Node]:
    """Nodes so that each comes after what it needs while it is executed; else in the notebook's order.

    What a node calls while it is executed needs its own names by then, too. Objects come as late as they can:
    the file that they are read from may refer to any definition.
    """
    nodes = with_registries(nodes)
    needed = {name: needs(node, nodes) for name, node in nodes.items()}
    strict = {name: {n for n in node.now if n in nodes and n != name} for name, node in nodes.items()}
    todo = sorted(
        nodes.values(),
        key=lambda node: (node.last, node.kind in ("object", "alias"), node.kind != "constant", node.order),
    )
    done: list[Node] = []
    placed: set[str] = set()
    while todo:
        ready = next((n for n in todo if needed[n.name] <= placed), None)
        if ready is None:  # they need each other when called: what they read at once decides
            ready = next((n for n in todo if strict[n.name] <= placed), todo[0])
        todo.remove(ready)
        done.append(ready)
        placed.add(ready.name)
    return done


def with_registries(nodes: Mapping[str, Node]) -> Mapping[str, Node]:
    """Containers that code may change while it is imported begin empty, and are filled when all is defined.

    A class that `__init_subclass__` or a metaclass enters into a list is in there once, as in the notebook.
    """
    changed: set[str] = set()
    for node in nodes.values():
        if node.kind != "constant":
            direct = {name for name in node.now if name in nodes and name != node.name}
            changed |= reach(direct, nodes, node.name)
    found = dict(nodes)
    for name in changed:
        node = nodes[name]
        if node.kind != "constant" or type(node.value) not in EMPTY or not node.value:
            continue
        empty, fill = EMPTY[type(node.value)]
        text = f"{name} = {empty}"
        found[name] = replace(node, render=functools.partial(str, text), now=set())
        filled = functools.partial(_filled, name, node.render, fill)
        found[f"{name} filled"] = replace(
            node, name=f"{name} filled", render=filled, now={*node.now, name}, last=True
        )
    return found


#: Kinds of containers: how one begins, and how it is filled.
EMPTY: dict[Any, tuple[str, str]] = {
    list: ("[]", "{0}[:] = {1}"),
    dict: ("{}", "{0}.clear()\n{0}.update({1})"),
    set: ("set()", "{0}.clear()\n{0}.update({1})"),
}


def _filled(name: str, render: Callable[[], str], fill: str) -> str:
    statement = ast.parse(render()).body[0]
    assert isinstance(statement, ast.Assign)
    return fill.format(name, ast.unparse(statement.value))


def eager_names(nodes: Mapping[str, Node]) -> set[str]:
    """Names of the objects that have to be there while the module is imported."""
    found: set[str] = set()
    for node in nodes.values():
        if node.kind not in DEFERRED:
            found |= {name for name in needs(node, nodes) if nodes[name].kind in DEFERRED}
    todo = list(found)
    while todo:  # an alias of an object, a container of some
        for name in nodes[todo.pop()].now:
            if name in nodes and name not in found:
                found.add(name)
                todo.append(name)
    return found


def needs(node: Node, nodes: Mapping[str, Node]) -> set[str]:
    """Names that have to be bound before a node can run, also by what it calls while it does."""
    found = {name for name in node.now if name in nodes and name != node.name}
    found |= reach(found, nodes, node.name)
    return found - {node.name}


def reach(names: Iterable[str], nodes: Mapping[str, Node], stop: str) -> set[str]:
    """Everything that may be read when `names` are called; the way does not lead through `stop`."""
    found: set[str] = set()
    todo = [name for name in names if name in nodes]
    while todo:
        at = nodes[todo.pop()]
        for name in at.now | at.later:
            if name in nodes and name != stop and name not in found:
                found.add(name)
                todo.append(name)
    return found
