"""The magics that deploy and change deployments."""

from __future__ import annotations

import re
from argparse import Namespace
from typing import Any

from IPython.core.magic import Magics, line_magic, magics_class, no_var_expand
from IPython.core.magic_arguments import argument, magic_arguments

from .options import cloud_option, deployment_fields, deployment_options
from .parsing import DEFAULTS, NEW_ONLY, evaluate, parse

__all__ = ["BentoDeployMagics"]


def deploy_options(function: Any) -> Any:
    """Options of `%bento_deploy` and `%bento_update`, the words of `bento_jupyter.deploy`."""
    options = [
        argument("--sample", metavar="EXPR", help="input like those that will come: array or DataFrame"),
        deployment_options,
        argument(
            "--config", metavar="FILE", help="a deployment file (YAML or JSON); what the line says wins"
        ),
        argument(
            "--reset",
            action="append",
            metavar="OPTION",
            help="as if it had never been said: timeout, env, idle, ...",
        ),
        argument("--expires", metavar="2h", help="end by itself then: 30m, 2h, 1d, an ISO time, or never"),
        argument(
            "--endpoint", action="append", metavar="METHOD", help="serve this method only (may be repeated)"
        ),
        argument(
            "--no-prove", action="store_true", help="do not compare the Bento's answers with the object's"
        ),
        argument("--allow-different", action="store_true", help="deploy it when its answers differ, too"),
        argument("--dry-run", action="store_true", help="only say what would be sent, and what would change"),
        no_wait_option,
    ]
    for option in reversed(options):
        function = option(function)
    return function


#: Fields whose options have other names.
FIELDS = {
    "idle": "idle_seconds",
    "scale_up": "scale_up_seconds",
    "env": "envs",
    "secret": "secrets",
    "label": "labels",
}


def _field(option: str) -> str:
    """The field of `DeploymentSpec` that an option is about."""
    name = option.lstrip("-").replace("-", "_")
    return FIELDS.get(name, name)


no_wait_option = argument("--no-wait", action="store_true", help="return as soon as the cloud has taken it")
name_argument = argument("name", help="name of the deployment")


@magics_class
class BentoDeployMagics(Magics):
    """Deploy objects of the notebook, change and end what was deployed.

    `%bento_deploy clf --sample X_test --mode on-demand`
    """

    @no_var_expand
    @line_magic
    @magic_arguments()
    @argument("target", nargs="?", help="a live object, a built Bento, or a tag; default: what --config says")
    @argument("--name", help="name of the deployment; default: that of the object or Bento")
    @deploy_options
    @cloud_option
    def bento_deploy(self, line: str) -> Any:
        """Deploy an object, a Bento or a tag; builds, proves and pushes first where that is to be done.

        In `%bento_deploy clf --sample X_test --mode on-demand` everything has a default but the sample. Of a
        deployment that exists already, what is not said stays as it is; where nothing
        differs nothing is done.
        """
        from .. import workspace

        arguments = parse(self.bento_deploy, line)
        target = None if arguments.target is None else self._target(arguments.target, arguments.cloud)
        live = not isinstance(target, (str, workspace.BuiltBento, workspace.PushedBento, type(None)))
        name = arguments.name
        if live and name is None and arguments.config is None:
            name = re.sub(r"[^a-z0-9]+", "-", arguments.target.lower()).strip("-")[:63]
        return workspace.deploy(target, name=name, **self._options(arguments))

    @no_var_expand
    @line_magic
    @magic_arguments()
    @name_argument
    @argument("target", nargs="?", help="a live object, a built Bento, or a tag; default: the Bento it runs")
    @deploy_options
    @cloud_option
    def bento_update(self, line: str) -> Any:
        """Change what a deployment runs, or how; what is not said stays as it is."""
        from .. import workspace

        arguments = parse(self.bento_update, line)
        target = None if arguments.target is None else self._target(arguments.target, arguments.cloud)
        return workspace.update(arguments.name, target, **self._options(arguments))

    @no_var_expand
    @line_magic
    @magic_arguments()
    @name_argument
    @argument("--min", type=int, help="fewest instances; 0 is mode on-demand")
    @argument("--max", type=int, help="most instances")
    @argument("--concurrency", type=int, help="requests an instance works on at a time")
    @argument("--mode", choices=["online", "on-demand"], help="switch the mode")
    @argument("--idle", type=int, metavar="SECONDS", help="how long an idle instance is kept")
    @argument(
        "--scale-up", type=int, metavar="SECONDS", help="how long more must be wanted before they start"
    )
    @no_wait_option
    @cloud_option
    def bento_scale(self, line: str) -> Any:
        """Change how many instances a deployment has, and when."""
        from .. import workspace

        arguments = parse(self.bento_scale, line)
        return workspace.scale(
            arguments.name,
            min=arguments.min,
            max=arguments.max,
            concurrency=arguments.concurrency,
            mode=arguments.mode,
            idle_seconds=arguments.idle,
            scale_up_seconds=arguments.scale_up,
            wait=not arguments.no_wait,
            cloud=arguments.cloud,
        )

    @no_var_expand
    @line_magic
    @magic_arguments()
    @name_argument
    @argument("revision", type=int, nargs="?", help="number of an earlier revision; none = list them")
    @no_wait_option
    @cloud_option
    def bento_rollback(self, line: str) -> Any:
        """Let a deployment be what an earlier revision asked for; without a revision list them."""
        from .. import workspace

        arguments = parse(self.bento_rollback, line)
        return workspace.rollback(
            arguments.name, arguments.revision, wait=not arguments.no_wait, cloud=arguments.cloud
        )

    @no_var_expand
    @line_magic
    @magic_arguments()
    @name_argument
    @argument("bento", nargs="?", help="the other Bento: a built one, or a tag")
    @argument(
        "--weight",
        type=float,
        help="percentage of the requests that it gets; a new one: 10",
    )
    @argument("--header", metavar="NAME", help="callers with the same value of this header stay with one")
    @argument("--query", metavar="NAME", help="the same for a query parameter")
    @argument("--as", dest="canary_name", metavar="NAME", help="name of the canary; default: canary")
    @argument("--promote", action="store_true", help="make the canary the main version")
    @argument("--remove", action="store_true", help="take all canaries away")
    @no_wait_option
    @cloud_option
    def bento_canary(self, line: str) -> Any:
        """Let another Bento answer a part of a deployment's requests; then promote or remove it."""
        from .. import workspace

        arguments = parse(self.bento_canary, line)
        bento = None if arguments.bento is None else self._target(arguments.bento, arguments.cloud)
        return workspace.canary(
            arguments.name,
            bento,
            promote=arguments.promote,
            remove=arguments.remove,
            canary_name=arguments.canary_name,
            weight=arguments.weight,
            header=arguments.header,
            query=arguments.query,
            wait=not arguments.no_wait,
            cloud=arguments.cloud,
        )

    @no_var_expand
    @line_magic
    @magic_arguments()
    @name_argument
    @no_wait_option
    @cloud_option
    def bento_restart(self, line: str) -> Any:
        """Replace a deployment's instances by new ones; the old ones answer until those are ready."""
        from .. import workspace

        arguments = parse(self.bento_restart, line)
        return workspace.restart(arguments.name, wait=not arguments.no_wait, cloud=arguments.cloud)

    @no_var_expand
    @line_magic
    @magic_arguments()
    @name_argument
    @no_wait_option
    @cloud_option
    def bento_terminate(self, line: str) -> Any:
        """Stop a deployment; its revisions and address are kept."""
        from .. import workspace

        arguments = parse(self.bento_terminate, line)
        return workspace.terminate(arguments.name, wait=not arguments.no_wait, cloud=arguments.cloud)

    @no_var_expand
    @line_magic
    @magic_arguments()
    @name_argument
    @no_wait_option
    @cloud_option
    def bento_start(self, line: str) -> Any:
        """Start a terminated deployment again."""
        from .. import workspace

        arguments = parse(self.bento_start, line)
        return workspace.start(arguments.name, wait=not arguments.no_wait, cloud=arguments.cloud)

    @no_var_expand
    @line_magic
    @magic_arguments()
    @name_argument
    @argument("again", nargs="?", default="", help="its name once more, instead of --yes")
    @argument("--yes", action="store_true", help="it is meant")
    @cloud_option
    def bento_delete(self, line: str) -> Any:
        """Delete a deployment for good, with its revisions, logs and address."""
        from .. import workspace
        from ..display.tables import Note

        arguments = parse(self.bento_delete, line)
        workspace.delete(arguments.name, yes=arguments.yes, again=arguments.again, cloud=arguments.cloud)
        return Note(f"deployment {arguments.name!r} is deleted")

    def _options(self, arguments: Namespace) -> dict[str, Any]:
        """What `deploy_options` say, as arguments of `bento_jupyter.deploy`."""
        sample = arguments.sample
        return {
            **deployment_fields(arguments),
            "sample": None if sample is None else evaluate(self.shell, sample, "--sample"),
            "config": arguments.config,
            "defaults": {key: DEFAULTS[key] for key in NEW_ONLY if key in DEFAULTS},
            "reset": [_field(option) for option in arguments.reset or []],
            "expires": arguments.expires,
            "endpoints": arguments.endpoint,
            "prove": not arguments.no_prove,
            "allow_different": arguments.allow_different,
            "dry_run": arguments.dry_run,
            "wait": not arguments.no_wait,
            "cloud": arguments.cloud,
        }

    def _target(self, word: str, cloud: str | None) -> Any:
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
        if word not in known:
            known = {item["tag"].partition(":")[0] for item in workspace.bentos(cloud=cloud)}
        if word in known:
            return word
        return evaluate(self.shell, word, "target")
