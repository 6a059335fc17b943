"""What forms do, as magic lines and Python calls, without what no notebook should hold."""

from __future__ import annotations

import ast
import io
import json
import math
import re
import tokenize
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

from ..quoting import quoted
from ..spec import DeploymentSpec, Mode, masked
from ..spelling import to_call, to_line

__all__ = [
    "build_call",
    "build_line",
    "changed",
    "code_html",
    "deploy_call",
    "deploy_line",
    "differences",
    "expression",
    "is_written",
    "rebased",
    "update_line",
    "wanted_changes",
    "written",
]

#: Fields that a deployment loses when it becomes one of the other mode.
OF_MODE = ("min", "concurrency")


def build_line(name: str, objects: Sequence[str], sample: str = "", endpoints: Sequence[str] = ()) -> str:
    """The `%bento_build` line.

    Args:
        name: Name of the Bento.
        objects: Names of the objects.
        sample: Expression of the sample; "" = none.
        endpoints: What is to be served; none = all that suits.
    """
    words = ["%bento_build", name, *objects]
    words += [_option(sample)] if sample else []
    return " ".join([*words, *(word for each in endpoints for word in ("--endpoint", each))])


def build_call(name: str, objects: Sequence[str], sample: str = "", endpoints: Sequence[str] = ()) -> str:
    """The call of `bento_jupyter.build`; arguments as of `build_line`."""
    parts = [repr(name), objects[0] if len(objects) == 1 else f"[{', '.join(objects)}]"]
    parts += [f"sample={sample}"] if sample else []
    parts += [f"endpoints={list(endpoints)!r}"] if endpoints else []
    return f"bj.build({', '.join(parts)})"


def expression(text: str) -> str:
    """An expression as it can stand among the arguments of a call: no comment behind it, a tuple in brackets.

    What is none is left as it is.

    Example:
        >>> expression("X[:3], y[:3]  # both")
        '(X[:3], y[:3])'
    """
    try:
        body = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError):
        return text.strip()
    bare = _without_comment(text.strip())
    try:
        call = ast.parse(f"f(x={bare})", mode="eval").body
    except SyntaxError:
        return f"({bare})"
    assert isinstance(call, ast.Call)
    alone = not call.args and len(call.keywords) == 1
    return bare if alone and ast.dump(call.keywords[0].value) == ast.dump(body) else f"({bare})"


def _without_comment(text: str) -> str:
    lines = text.splitlines()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            row, column = token.start
            lines[row - 1] = lines[row - 1][:column].rstrip()
    return "\n".join(lines).strip()


def written(value: Any) -> str:
    """A value of JSON as Python writes it, also where a number is none: `nan` alone would be a name.

    Example:
        >>> written({"a": [float("nan"), 1.5]})
        "{'a': [float('nan'), 1.5]}"
    """
    if isinstance(value, float) and not math.isfinite(value):
        return f"float('{value}')"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{written(name)}: {written(each)}" for name, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(written, value)) + "]"
    return repr(value)


def is_written(value: Any) -> bool:
    """Whether `written` gives code that makes the value, whatever the notebook has imported."""
    if isinstance(value, dict):
        return all(is_written(each) for pair in value.items() for each in pair)
    if isinstance(value, list):
        return all(map(is_written, value))
    # The items of a tuple or set are written by `repr`, in which a number that is none is but a name.
    if isinstance(value, (tuple, set, frozenset)):
        return not any(isinstance(each, float) for each in value) and all(map(is_written, value))
    return type(value) in (type(None), bool, int, float, str, bytes)


def _option(sample: str) -> str:
    """A sample in a line, quoted only where it has to be; one with a sign would be an option by itself."""
    if sample.startswith("-"):
        return quoted(f"--sample={sample}")
    return f"--sample {sample if _is_plain(sample) else quoted(sample)}"


def _is_plain(sample: str) -> bool:
    return re.fullmatch(r"[\w.\[\]:,]+", sample) is not None


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
    if before.mode is not after.mode:  # these are forgotten with the mode, see `DeploymentSpec.changed_by`
        given |= {name: value for name in OF_MODE if (value := getattr(after, name)) is not None}
    reset = [
        name
        for name, value in given.items()
        if name not in ("name", "mode", "services") and value == DeploymentSpec.default_of(name)
    ]
    given = {name: value for name, value in given.items() if name not in reset}
    return DeploymentSpec(**{"name": after.name, "mode": after.mode, **given}), reset


def rebased(base: Any, mine: Any, theirs: Any) -> Any:
    """What a field is to say when what it began with has become another: what I changed stays changed.

    Args:
        base: What it began with.
        mine: What it says.
        theirs: What it would begin with now.

    Example:
        >>> rebased({"A": "1"}, {"A": "1", "B": "2"}, {"A": "3", "C": "4"})
        {'A': '3', 'C': '4', 'B': '2'}
        >>> rebased(["a", "b"], ["b"], ["a", "b", "c"])
        ['b', 'c']
    """
    if base in (mine, theirs):
        return theirs if mine == base else mine
    if all(isinstance(each, Mapping) for each in (base, mine, theirs)):
        names = dict.fromkeys([*theirs, *mine])
        gone = object()
        found = {
            name: rebased(base.get(name, gone), mine.get(name, gone), theirs.get(name, gone))
            for name in names
        }
        return {name: value for name, value in found.items() if value is not gone}
    if all(isinstance(each, list) for each in (base, mine, theirs)):
        kept = [each for each in theirs if each in mine or each not in base]
        return [*kept, *(each for each in mine if each not in base and each not in kept)]
    return mine


def deploy_line(spec: DeploymentSpec, target: str, sample: str = "", *, cloud: str = "") -> str:
    """The `%bento_deploy` line.

    Args:
        spec: What is wanted.
        target: Tag or expression of what is deployed.
        sample: Expression of the sample; "" = none.
        cloud: Where; "" = where one is connected to.
    """
    line = to_line(masked(spec), target, cloud=cloud)
    return f"{line} {_option(sample)}" if sample else line


def update_line(
    spec: DeploymentSpec,
    target: str = "",
    sample: str = "",
    *,
    mode: bool = False,
    reset: Sequence[str] = (),
    cloud: str = "",
) -> str:
    """The `%bento_update` line that makes changes.

    Args:
        spec: Name, mode, and what is to be other than it is.
        target: Tag or expression of what is deployed; "" = the Bento that it runs.
        sample: Expression of the sample; "" = none.
        mode: The mode is to be another one.
        reset: Fields that are to be as if they had never been said.
        cloud: Where; "" = where one is connected to.
    """
    same = DeploymentSpec(name=spec.name, mode=spec.mode)
    options = to_line(masked(spec), target).removeprefix(to_line(same, target)).strip()
    words = ["%bento_update", spec.name, target, f"--mode {spec.mode.value}" if mode else "", options]
    words += [f"--reset={field}" for field in reset]
    words += [_option(sample) if sample else "", quoted(f"--cloud={cloud}") if cloud else ""]
    return " ".join(word for word in words if word)


def deploy_call(
    spec: DeploymentSpec, target: str, sample: str = "", *, reset: Sequence[str] = (), cloud: str = ""
) -> str:
    """The call of `bento_jupyter.deploy`.

    Args:
        spec: What is wanted; of a deployment that is there already name, mode, and what is to be other.
        target: Python expression of what is deployed.
        sample: Expression of the sample; "" = none.
        reset: Fields that are to be as if they had never been said.
        cloud: Where; "" = where one is connected to.
    """
    call = to_call(masked(spec), target, cloud=cloud).removesuffix(")")
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


def code_html(codes: Sequence[tuple[str, str]]) -> str:
    """Lines of code that do the same: a click selects one whole, for copying; JupyterLab can insert it.

    Args:
        codes: What it is, and the code; those without code are left out.
    """
    parts = []
    for label, code in codes:
        if not code:
            continue
        arguments = {
            "commands": ["notebook:insert-cell-below", "notebook:replace-selection"],
            "args": [{}, {"text": code}],
        }
        style = (
            "user-select:all;margin:2px 0;padding:4px 8px;white-space:pre-wrap;overflow-wrap:anywhere;"
            "background:var(--jp-layout-color2,rgba(128,128,128,.15));"
            "font-family:var(--jp-code-font-family,monospace);font-size:12px;line-height:1.4"
        )
        insert = (
            '<button type="button" class="jupyter-button bento-insert" style="width:auto" '
            'data-commandlinker-command="apputils:run-all-enabled" '
            f'data-commandlinker-args="{escape(json.dumps(arguments), quote=True)}">Insert below</button>'
        )
        parts.append(
            f'<div style="margin-top:6px">{escape(label)} '
            f'<span style="opacity:.75">(a click selects it)</span> {insert}</div>'
            f'<pre tabindex="0" aria-label="{escape(label, quote=True)}" style="{style}">{escape(code)}</pre>'
        )
    hidden = "<style>.bento-insert{display:none}.jp-Notebook .bento-insert{display:inline-block}</style>"
    return hidden + "".join(parts) if parts else ""
