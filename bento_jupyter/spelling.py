"""The line and the Python call that say what a `DeploymentSpec` asks for; forms and sidebar show them."""

from __future__ import annotations

import json
from typing import Any

from pydantic import BaseModel
from pydantic_core import to_jsonable_python

from .quoting import quoted
from .service_spec import CanaryVersion
from .spec import DeploymentSpec

__all__ = ["to_call", "to_line"]

#: Options of the magic that are called otherwise than their fields.
_OPTIONS = {"idle_seconds": "idle", "scale_up_seconds": "scale-up"}
_PLAIN = (
    "min",
    "max",
    "concurrency",
    "idle_seconds",
    "scale_up_seconds",
    "queue",
    "instance_type",
    "strategy",
    "timeout",
    "cold_start_timeout",
    "image",
)
_FLAGS = ("protected", "retries")


def to_line(spec: DeploymentSpec, target: str = "", *, cloud: str = "") -> str:
    """The `%bento_deploy` line that asks for `spec`.

    Args:
        spec: What is wanted.
        target: What to deploy, as it stands in the notebook; "" = the Bento of `spec`.
        cloud: Where; "" = where one is connected to.

    Raises:
        ValueError: Something of it cannot stand in a line, like a value of several lines: `to_call` can.

    Example:
        >>> to_line(DeploymentSpec(name="iris", bento="iris:v1", mode="on-demand", labels={"for": "a b"}))
        "%bento_deploy iris:v1 --name iris --mode on-demand '--label=for=a b'"
    """
    words = ["%bento_deploy", target or spec.bento, "--name", spec.name, "--mode", spec.mode.value]
    words += [_word(f"--cloud={cloud}")] if cloud else []
    for field in _PLAIN:
        value = getattr(spec, field)
        if value is not None:
            words.append(_word(f"--{_option(field)}={_number(value)}"))
    for field in _FLAGS:
        value = getattr(spec, field)
        if value is not None and (value or field != "protected"):
            words.append(f"--{'' if value else 'no-'}{field}")
    words += [_word(f"--env={_pair(key, value)}") for key, value in spec.envs.items()]
    words += [_word(f"--secret={name}") for name in spec.secrets]
    words += [_word(f"--label={_pair(key, value)}") for key, value in spec.labels.items()]
    for name, service in spec.services.items():
        words += ["--service", _word(name), *_settings(service)]
    canary = spec.canary
    for name, version in canary.versions.items():
        words += ["--canary", _word(name), *_settings(version)]
    if canary.versions and canary.by != "random":
        words.append(_word(f"--canary-by={canary.by}={canary.key or ''}"))
    return " ".join(words)


def to_call(spec: DeploymentSpec, target: str = "", *, cloud: str = "") -> str:
    """The call of `bento_jupyter.deploy` that asks for `spec`.

    Args:
        spec: What is wanted.
        target: What to deploy, as an expression; "" = the tag of the Bento of `spec`.
        cloud: Where; "" = where one is connected to.

    Example:
        >>> to_call(DeploymentSpec(name="iris", bento="iris:v1", max=2))
        "bj.deploy('iris:v1', name='iris', mode='online', max=2)"
    """
    fields = _said(spec)
    fields.pop("bento", None)
    name, mode = fields.pop("name"), spec.mode.value
    fields.pop("mode")
    if not spec.canary.versions:
        fields.pop("canary", None)
    if not spec.protected:
        fields.pop("protected", None)
    said = {"name": name, "mode": mode, **fields, **({"cloud": cloud} if cloud else {})}
    arguments = [target or repr(spec.bento), *(f"{key}={value!r}" for key, value in said.items())]
    return f"bj.deploy({', '.join(arguments)})"


def _settings(model: BaseModel) -> list[str]:
    """The `key=value` words of a service or a canary; what has structure as JSON."""
    words = []
    for field, value in _said(model).items():
        structured = isinstance(value, (dict, list))
        text = json.dumps(value, ensure_ascii=True) if structured else _number(value)
        words.append(_word(f"{_option(field)}={text}"))
    return words


def _said(model: BaseModel) -> dict[str, Any]:
    """The fields that say something, without those that are as by default; the same of models within."""
    return {
        key: _plain(getattr(model, key))
        for key, value in model.model_dump(mode="json").items()
        # A canary without variables or secrets differs from one with those of the main version (None).
        if value is not None
        and (value not in ({}, []) or (isinstance(model, CanaryVersion) and key in ("envs", "secrets")))
    }


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return _said(value)
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    return to_jsonable_python(value)


def _option(field: str) -> str:
    return _OPTIONS.get(field, field.replace("_", "-"))


def _number(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _pair(key: str, value: str) -> str:
    if not key or "=" in key:
        raise ValueError(f"the name {key!r} cannot stand before a '='")
    return f"{key}={value}"


def _word(text: str) -> str:
    if len(text.splitlines()) > 1 or (text and text.splitlines()[0] != text) or "\0" in text:
        raise ValueError("a value of several lines cannot stand in the line of a magic")
    return quoted(text)
