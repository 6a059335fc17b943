"""A deployment file, as `bentoml deploy -f` takes it, in the words of the verbs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ..client.changing import refused
from ..errors import InvalidRequestError
from ..service_spec import Canary, ServiceSpec, read_pairs

__all__ = ["read_config"]

_KNOWN = ("name", "bento", "access_authorization", "envs", "labels", "secrets", "services", "canary")
#: What BentoCloud's file may say besides, and what is said otherwise here: `--cloud`.
_PASSED_OVER = ("cluster", "dev", "distributed")


def read_config(config: str | Path | Mapping[str, Any] | None) -> dict[str, Any]:
    """The fields of a deployment that a file asks for, and its `bento`.

    Args:
        config: Path of a YAML or JSON file, or its content.

    Raises:
        InvalidRequestError: It cannot be read, or says something that is not known.
    """
    if config is None:
        return {}
    found = config if isinstance(config, Mapping) else _load(Path(config).expanduser())
    unknown = [str(key) for key in found if key not in (*_KNOWN, *_PASSED_OVER)]
    if unknown:
        raise InvalidRequestError(f"config: {unknown[0]!r} is not known", hint=f"use {', '.join(_KNOWN)}")
    said = {key: value for key, value in found.items() if value is not None}
    fields: dict[str, Any] = {key: str(said[key]) for key in ("name", "bento") if key in said}
    try:
        if "access_authorization" in said:
            fields["protected"] = said["access_authorization"]
        if "envs" in said:
            fields["envs"] = read_pairs(said["envs"], "name")
        if "labels" in said:
            fields["labels"] = read_pairs(said["labels"], "key")
        if "secrets" in said:
            fields["secrets"] = list(said["secrets"])
        if "services" in said:
            fields["services"] = {name: ServiceSpec.of_wire(each) for name, each in said["services"].items()}
        if "canary" in said:
            fields["canary"] = Canary.of_wire(said["canary"])
    except ValidationError as error:
        # Without the values, which may be secrets, also in what is shown of causes.
        raise refused(error, "config") from None
    except (TypeError, KeyError, AttributeError) as error:
        raise InvalidRequestError(f"config: {error}") from None
    return fields


def _load(path: Path) -> Mapping[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
        if path.suffix == ".json":
            found = json.loads(text)
        else:
            import yaml  # type: ignore[import-untyped]

            found = yaml.safe_load(text)
    except OSError as error:
        raise InvalidRequestError(f"config: {path} cannot be read: {error.strerror}") from error
    except Exception as error:
        raise InvalidRequestError(f"config: {path} is neither YAML nor JSON: {error}") from error
    if not isinstance(found, Mapping):
        raise InvalidRequestError(f"config: {path} holds no mapping")
    return found
