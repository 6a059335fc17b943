"""What forms do, as magic lines and Python calls, without what no notebook should hold."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..quoting import quoted
from ..spec import DeploymentSpec, Mode
from ..spelling import to_call, to_line

__all__ = [
    "build_call",
    "build_line",
    "changed",
    "deploy_call",
    "deploy_line",
    "differences",
    "masked",
    "update_line",
    "wanted_changes",
]

#: What stands for the value of an environment variable.
HIDDEN = "..."


def build_line(name: str, objects: Sequence[str], sample: str = "", endpoints: Sequence[str] = ()) -> str:
    """The `%bento_build` line.

    Args:
        name: Name of the Bento.
        objects: Names of the objects.
        sample: Expression of the sample; "" = none.
        endpoints: What is to be served; none = all that suits.
    """
    words = ["%bento_build", name, *objects]
    words += ["--sample", sample if _is_plain(sample) else quoted(sample)] if sample else []
    return " ".join([*words, *(word for each in endpoints for word in ("--endpoint", each))])


def build_call(name: str, objects: Sequence[str], sample: str = "", endpoints: Sequence[str] = ()) -> str:
    """The call of `bento_jupyter.build`; arguments as of `build_line`."""
    parts = [repr(name), objects[0] if len(objects) == 1 else f"[{', '.join(objects)}]"]
    parts += [f"sample={sample}"] if sample else []
    parts += [f"endpoints={list(endpoints)!r}"] if endpoints else []
    return f"bj.build({', '.join(parts)})"


def _option(sample: str) -> str:
    """A sample in a line, quoted only where it has to be."""
    return f"--sample {sample}" if _is_plain(sample) else quoted(f"--sample={sample}")


def _is_plain(sample: str) -> bool:
    return re.fullmatch(r"[\w.\[\]:,]+", sample) is not None


def masked(spec: DeploymentSpec) -> DeploymentSpec:
    """A spec without the values of its environment variables, wherever they stand in it."""
    return DeploymentSpec(**_hidden(spec.model_dump()))


def _hidden(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return {
        key: dict.fromkeys(each, HIDDEN) if key == "envs" and each else _hidden(each)
        for key, each in value.items()
    }


def changed(before: DeploymentSpec, after: DeploymentSpec) -> dict[str, tuple[Any, Any]]:
    """The fields in which two specs differ, with both values; a Bento that is still to be built is none."""
    return {
        name: (getattr(before, name), getattr(after, name))
        for name in DeploymentSpec.model_fields
        if getattr(before, name) != getattr(after, name) and not (name == "bento" and not after.bento)
    }


def wanted_changes(before: DeploymentSpec, after: DeploymentSpec) -> tuple[DeploymentSpec, list[str]]:
    """What has to be said for a deployment to become another one.

    Args:
        before: What it is asked to be.
        after: What it is to be.

    Returns:
        Name, mode, and what is to be other than it is; and the fields that are to be as if they had never
        been said.
    """
    given = {name: value for name, (_, value) in changed(before, after).items() if name != "bento"}
    reset = [
        name
        for name, value in given.items()
        if name not in ("name", "mode", "services") and value == DeploymentSpec.default_of(name)
    ]
    given = {name: value for name, value in given.items() if name not in reset}
    return DeploymentSpec(**{"name": after.name, "mode": after.mode, **given}), reset


def deploy_line(spec: DeploymentSpec, target: str, sample: str = "") -> str:
    """The `%bento_deploy` line.

    Args:
        spec: What is wanted.
        target: Tag or expression of what is deployed.
        sample: Expression of the sample; "" = none.
    """
    line = to_line(masked(spec), target)
    return f"{line} {_option(sample)}" if sample else line


def update_line(
    spec: DeploymentSpec, target: str = "", sample: str = "", *, mode: bool = False, reset: Sequence[str] = ()
) -> str:
    """The `%bento_update` line that makes changes.

    Args:
        spec: Name, mode, and what is to be other than it is.
        target: Tag or expression of what is deployed; "" = the Bento that it runs.
        sample: Expression of the sample; "" = none.
        mode: The mode is to be another one.
        reset: Fields that are to be as if they had never been said.
    """
    same = DeploymentSpec(name=spec.name, mode=spec.mode)
    options = to_line(masked(spec), target).removeprefix(to_line(same, target)).strip()
    words = ["%bento_update", spec.name, target, f"--mode {spec.mode.value}" if mode else "", options]
    words += [f"--reset={field}" for field in reset]
    words += [_option(sample) if sample else ""]
    return " ".join(word for word in words if word)


def deploy_call(spec: DeploymentSpec, target: str, sample: str = "", *, reset: Sequence[str] = ()) -> str:
    """The call of `bento_jupyter.deploy`.

    Args:
        spec: What is wanted; of a deployment that is there already name, mode, and what is to be other.
        target: Python expression of what is deployed.
        sample: Expression of the sample; "" = none.
        reset: Fields that are to be as if they had never been said.
    """
    call = to_call(masked(spec), target).removesuffix(")")
    call += f", reset={list(reset)!r}" if reset else ""
    return f"{call}, sample={sample})" if sample else f"{call})"


def differences(before: DeploymentSpec, after: DeploymentSpec) -> list[tuple[str, str, str]]:
    """The settings in which two specs differ: which, as it is, and as it is to be.

    Values of environment variables are not shown, only that they are there or others.

    Example:
        >>> spec = DeploymentSpec(name="iris", envs={"A": "1"})
        >>> differences(spec, spec.model_copy(update={"max": 3, "envs": {"A": "2"}}))
        [('max', 'default', '3'), ('envs.A', 'given', 'another value')]
    """
    then, now = dict(_leaves(after.model_dump())), dict(_leaves(before.model_dump()))
    found = []
    for place in dict.fromkeys([*then, *now]):
        sides = [now.get(place), then.get(place)]
        # An empty mapping and what comes into it: that is told by the latter.
        if sides[0] != sides[1] and not ({} in sides and not (place in now and place in then)):
            is_env = "envs" in place[:-1]
            shown = [_words(each, hidden=is_env) for each in sides]
            if is_env and shown[0] == shown[1]:
                shown[1] = "another value"
            found.append((".".join(place), shown[0], shown[1]))
    return found


def _leaves(value: Any, place: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    if isinstance(value, Mapping) and value:
        for key, each in value.items():
            yield from _leaves(each, (*place, str(key)))
    else:
        yield place, value


def _words(value: Any, *, hidden: bool) -> str:
    if value in (None, [], {}):
        return "default" if value is None and not hidden else "none"
    if hidden:
        return "given"
    if isinstance(value, Mode):
        return value.full_name
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return str(value)
