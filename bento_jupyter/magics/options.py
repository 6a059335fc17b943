"""Options that several magics share."""

from __future__ import annotations

import json
from argparse import BooleanOptionalAction, Namespace
from typing import Any

from IPython.core.magic_arguments import argument

from ..errors import MagicUsageError

__all__ = ["cloud_option", "deployment_fields", "deployment_options", "pairs", "settings"]


def cloud_option(function: Any) -> Any:
    """`--cloud NAME` of each magic that asks a cloud."""
    return argument(
        "--cloud", metavar="NAME", help="context of the cloud to use, or 'embedded'; default: the current one"
    )(function)


def deployment_options(function: Any) -> Any:
    """Options that say how a deployment is to be, the words of `bento_jupyter.deploy`."""
    options = [
        argument(
            "--mode",
            choices=["online", "on-demand"],
            help="online (default): always an instance up; on-demand: from zero, requests wait meanwhile",
        ),
        argument("--min", type=int, help="fewest instances; default: 1 online, 0 on demand"),
        argument("--max", type=int, help="most instances; default: the larger of 1 and --min"),
        argument(
            "--concurrency", type=int, help="requests an instance works on at a time; default: 8 on demand"
        ),
        argument(
            "--idle", type=int, metavar="SECONDS", help="how long an idle instance is kept; default: 60"
        ),
        argument(
            "--scale-up",
            type=int,
            metavar="SECONDS",
            help="how long more instances must be wanted before they start; default: 0",
        ),
        argument("--queue", type=int, metavar="N", help="requests that may wait; embedded cloud only"),
        argument("--instance-type", help="see %%bento_list instance-types; default: the smallest that fits"),
        argument("--env", action="append", default=[], metavar="NAME=VALUE", help="environment variable"),
        argument("--secret", action="append", default=[], help="name of a secret of the cloud"),
        argument("--label", action="append", default=[], metavar="KEY=VALUE", help="label"),
        argument(
            "--protected", action=BooleanOptionalAction, help="callers need a token; default: they do not"
        ),
        argument(
            "--strategy", help="RollingUpdate, Recreate, RampedSlowRollout, BestEffortControlledRollout"
        ),
        argument("--timeout", type=float, metavar="SECONDS", help="how long a request may take"),
        argument(
            "--cold-start-timeout",
            type=int,
            metavar="SECONDS",
            help="how long a request waits for an instance",
        ),
        argument(
            "--retries",
            action=BooleanOptionalAction,
            help="give a request whose instance is lost to another one; default: yes; embedded cloud only",
        ),
        argument(
            "--image",
            choices=["oci"],
            help="oci: run in containers, also if the Bento does not need it; embedded cloud only",
        ),
        argument(
            "--service",
            action="append",
            nargs="+",
            metavar="WORD",
            help="settings of one service: NAME min=1 concurrency=4 env.LEVEL=info ...",
        ),
        argument(
            "--canary",
            action="append",
            nargs="+",
            metavar="WORD",
            help="a version beside the main one: NAME bento=TAG weight=10 env.LEVEL=debug ...",
        ),
        argument("--canary-by", metavar="header=NAME", help="or query=NAME: keeps callers with one version"),
    ]
    for option in reversed(options):
        function = option(function)
    return function


def deployment_fields(arguments: Namespace) -> dict[str, Any]:
    """What `deployment_options` say, as fields of `DeploymentSpec`; what is not said is None.

    Raises:
        MagicUsageError: A word is not of its form.
    """
    by, _, key = (arguments.canary_by or "random").partition("=")
    canary = None
    if arguments.canary:
        versions = {words[0]: settings(words[1:], "--canary") for words in arguments.canary}
        canary = {"by": by, "key": key or None, "versions": versions}
    services = {words[0]: settings(words[1:], "--service") for words in arguments.service or []}
    return {
        "mode": arguments.mode,
        "min": arguments.min,
        "max": arguments.max,
        "concurrency": arguments.concurrency,
        "idle_seconds": arguments.idle,
        "scale_up_seconds": arguments.scale_up,
        "queue": arguments.queue,
        "instance_type": arguments.instance_type,
        "envs": pairs(arguments.env, "--env") or None,
        "secrets": arguments.secret or None,
        "labels": pairs(arguments.label, "--label") or None,
        "protected": arguments.protected,
        "strategy": arguments.strategy,
        "timeout": arguments.timeout,
        "cold_start_timeout": arguments.cold_start_timeout,
        "retries": arguments.retries,
        "image": arguments.image,
        "services": services or None,
        "canary": canary,
    }


def settings(words: list[str], option: str) -> dict[str, Any]:
    """`key=value` words as fields: `env.NAME=` collects variables, JSON in brackets is read."""
    fields: dict[str, Any] = {}
    for word, value in pairs(words, option).items():
        key = {"idle": "idle_seconds", "scale-up": "scale_up_seconds"}.get(word, word.replace("-", "_"))
        if word.startswith("env."):
            fields.setdefault("envs", {})[word.removeprefix("env.")] = value
        elif value[:1] in ("{", "["):
            try:
                fields[key] = json.loads(value)
            except ValueError as error:
                raise MagicUsageError(f"{option} {word}={value!r} is no JSON: {error}") from error
        else:
            fields[key] = value
    return fields


def pairs(words: list[str], option: str) -> dict[str, str]:
    """`NAME=VALUE` words as a dict."""
    found = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or not key:
            raise MagicUsageError(f"{option} {word!r} is not of the form NAME=VALUE")
        found[key] = value
    return found
