"""The magics that deploy and change deployments."""

from __future__ import annotations

import re
from argparse import BooleanOptionalAction
from typing import Any

from IPython.core.magic import Magics, line_magic, magics_class, no_var_expand
from IPython.core.magic_arguments import argument, magic_arguments

from ..errors import MagicUsageError
from .options import cloud_option
from .parsing import evaluate, parse

__all__ = ["BentoDeployMagics"]


def deploy_options(function: Any) -> Any:
    """Options of `%bento_deploy`, the words of `bento_jupyter.deploy`."""
    options = [
        argument("--name", help="name of the deployment; default: that of the object or Bento"),
        argument("--sample", metavar="EXPR", help="input like those that will come: array or DataFrame"),
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
            "--endpoint", action="append", metavar="METHOD", help="serve this method only (may be repeated)"
        ),
        argument(
            "--no-prove", action="store_true", help="do not compare the Bento's answers with the object's"
        ),
        argument("--allow-different", action="store_true", help="deploy it when its answers differ, too"),
        argument("--no-wait", action="store_true", help="return as soon as the cloud has taken it"),
    ]
    for option in reversed(options):
        function = option(function)
    return function


@magics_class
class BentoDeployMagics(Magics):
    """Deploy objects of the notebook, change and end what was deployed.

    `%bento_deploy clf --sample X_test --mode on-demand`
    """

    @no_var_expand
    @line_magic
    @magic_arguments()
    @argument("target", help="a live object, a built Bento, or a tag")
    @deploy_options
    @cloud_option
    def bento_deploy(self, line: str) -> Any:
        """Deploy an object, a Bento or a tag; builds, proves and pushes first where that is to be done.

        In `%bento_deploy clf --sample X_test --mode on-demand` everything has a default but the sample. Of a
        deployment that exists already, what is not said stays as it is.
        """
        from .. import workspace

        arguments = parse(self.bento_deploy, line)
        target = self._target(arguments.target)
        live = not isinstance(target, (str, workspace.BuiltBento, workspace.PushedBento))
        name = arguments.name
        if live and name is None:
            name = re.sub(r"[^a-z0-9]+", "-", arguments.target.lower()).strip("-")[:63]
        return workspace.deploy(
            target,
            name=name,
            sample=None if arguments.sample is None else evaluate(self.shell, arguments.sample, "--sample"),
            mode=arguments.mode,
            min=arguments.min,
            max=arguments.max,
            concurrency=arguments.concurrency,
            idle_seconds=arguments.idle,
            instance_type=arguments.instance_type,
            envs=_pairs(arguments.env, "--env") or None,
            secrets=arguments.secret or None,
            labels=_pairs(arguments.label, "--label") or None,
            protected=arguments.protected,
            strategy=arguments.strategy,
            timeout=arguments.timeout,
            cold_start_timeout=arguments.cold_start_timeout,
            endpoints=arguments.endpoint,
            prove=not arguments.no_prove,
            allow_different=arguments.allow_different,
            wait=not arguments.no_wait,
            cloud=arguments.cloud,
        )

    @no_var_expand
    @line_magic
    @magic_arguments()
    @argument("name", help="name of the deployment")
    @cloud_option
    def bento_terminate(self, line: str) -> Any:
        """Stop a deployment; its revisions and address are kept."""
        from .. import workspace

        arguments = parse(self.bento_terminate, line)
        return workspace.deployment(arguments.name, cloud=arguments.cloud).terminate()

    @no_var_expand
    @line_magic
    @magic_arguments()
    @argument("name", help="name of the deployment")
    @cloud_option
    def bento_start(self, line: str) -> Any:
        """Start a terminated deployment again."""
        from .. import workspace

        arguments = parse(self.bento_start, line)
        return workspace.deployment(arguments.name, cloud=arguments.cloud).start()

    @no_var_expand
    @line_magic
    @magic_arguments()
    @argument("name", help="name of the deployment")
    @cloud_option
    def bento_delete(self, line: str) -> Any:
        """Delete a deployment for good, with its revisions, logs and address."""
        from .. import workspace
        from ..display.tables import Note

        arguments = parse(self.bento_delete, line)
        dep = workspace.deployment(arguments.name, cloud=arguments.cloud)
        dep.delete()
        return Note(f"deployment {dep.name!r} is deleted")

    def _target(self, word: str) -> Any:
        """What a target names: an object of the notebook first, then a tag."""
        if ":" in word and word.partition(":")[0].replace("-", "_").isidentifier():
            return word
        root = word.partition(".")[0].partition("[")[0]
        if root in self.shell.user_ns:
            return evaluate(self.shell, word, "target")
        if any(char in word for char in ".[("):
            return evaluate(self.shell, word, "target")
        from .. import workspace

        known = {item["tag"].partition(":")[0] for item in workspace.local_bentos()}
        if word in known or any(item["tag"].partition(":")[0] == word for item in workspace.bentos()):
            return word
        return evaluate(self.shell, word, "target")


def _pairs(words: list[str], option: str) -> dict[str, str]:
    """`NAME=VALUE` words as a dict."""
    pairs = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or not key:
            raise MagicUsageError(f"{option} {word!r} is not of the form NAME=VALUE")
        pairs[key] = value
    return pairs
