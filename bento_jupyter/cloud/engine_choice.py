"""Which engine a cloud uses: told once when it is started, and remembered for its later starts."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import InvalidRequestError
from ..home import Home, write_private
from .settings import CloudSettings

__all__ = ["add_engine_options", "engine_told", "remember_engine"]

#: Settings that belong together: whoever names an engine says all of them anew.
FIELDS = ("engine", "ray_address", "ray_token", "ray_ca", "ray_tls")


def add_engine_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options that choose the engine."""
    parser.add_argument("--engine", help="what runs instances: processes (default), containers or ray")
    parser.add_argument("--ray-address", metavar="URL", help="dashboard of the Ray cluster, http://HEAD:8265")
    parser.add_argument("--ray-token-env", metavar="VAR", help="variable that has the cluster's token")
    parser.add_argument("--ray-ca", type=Path, metavar="FILE", help="who signed its certificate, PEM")
    parser.add_argument("--ray-tls", action="store_true", help="TLS between this cloud and the nodes")


def engine_told(home: Home, told: Mapping[str, Any]) -> dict[str, Any]:
    """Complete what was told by what this cloud was told before, unless an engine or a cluster is named.

    A cloud is started by whatever needs it first (a notebook, the sidebar), and goes on where it was.

    Args:
        home: Home of the cloud.
        told: Settings that were told, and `ray_token_env`.

    Raises:
        InvalidRequestError: The variable that is to have the token is not set, or options contradict each
            other.
    """
    told = dict(told)
    variable = told.pop("ray_token_env", None)
    if variable is not None:
        if not os.environ.get(variable):
            raise InvalidRequestError(
                f"the variable {variable} is to have the token of the Ray cluster, but is not set",
                hint=f"export {variable}=...",
            )
        told["ray_token"] = os.environ[variable].strip()
    of_ray = [name for name in FIELDS if name.startswith("ray_") and told.get(name)]
    if of_ray and told.get("engine", "ray") != "ray":
        raise InvalidRequestError(
            f"--{of_ray[0].replace('_', '-')} is about a Ray cluster, but the engine is {told['engine']}",
            hint="--engine ray, or leave it out",
        )
    if told.get("ray_address") or "engine" in told:
        return {**({"engine": "ray"} if told.get("ray_address") else {}), **told}
    remembered: dict[str, Any] = {}
    with contextlib.suppress(OSError, ValueError, TypeError):
        remembered = dict(json.loads(_file(home).read_text(encoding="utf-8")))
    if of_ray and remembered.get("engine") != "ray":
        raise InvalidRequestError(
            f"--{of_ray[0].replace('_', '-')} is about a Ray cluster, and this cloud uses none",
            hint="--ray-address http://HEAD:8265 names it",
        )
    return {**{name: value for name, value in remembered.items() if name in FIELDS}, **told}


def remember_engine(settings: CloudSettings) -> None:
    """Note the engine for later starts, its token for the owner's eyes only."""
    file = _file(settings.home)
    if settings.engine == "processes":
        file.unlink(missing_ok=True)
        return
    known = settings.model_dump(mode="json", include=set(FIELDS), exclude_defaults=True)
    if settings.ray_token.get_secret_value():
        known["ray_token"] = settings.ray_token.get_secret_value()
    if settings.ray_ca is not None:
        known["ray_ca"] = str(settings.ray_ca.absolute())
    write_private(file, json.dumps(known))


def _file(home: Home) -> Path:
    return home.root / "engine.json"
