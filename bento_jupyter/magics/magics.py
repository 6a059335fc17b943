"""The magics: each parses its line, makes one call of the workspace or a client, and returns the object."""

from __future__ import annotations

import json
import re
from argparse import BooleanOptionalAction
from typing import Any

from IPython.core.magic import Magics, line_cell_magic, line_magic, magics_class, no_var_expand
from IPython.core.magic_arguments import argument, magic_arguments
from traitlets import Bool, observe

from ..errors import BentoJupyterError, CallError, MagicUsageError
from .parsing import evaluate, parse, split_call

__all__ = ["BentoMagics"]


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
class BentoMagics(Magics):
    """Take objects of the notebook to endpoints that other people call.

    `%bento_deploy clf --sample X_test --mode on-demand` does it all; `%bento_call clf X_test[:5]` calls it.
    """

    show_tracebacks = Bool(False, help="Show whole tracebacks of bento_jupyter's errors.").tag(config=True)

    @observe("show_tracebacks")
    def _tracebacks(self, change: Any) -> None:
        BentoJupyterError.show_tracebacks = change["new"]

    # --- connect -----------------------------------------------------------------------------

    @no_var_expand
    @line_magic
    @magic_arguments()
    @argument("endpoint", nargs="?", help="address of a BentoCloud control plane; none = the embedded cloud")
    @argument("--context", help="context of the bentoml client to use")
    def bento_login(self, line: str) -> Any:
        """Connect to a cloud: the embedded one, or BentoCloud at ENDPOINT."""
        from .. import workspace
        from ..errors import NotLoggedInError

        arguments = parse(self.bento_login, line)
        try:
            return workspace.connect(arguments.endpoint, context=arguments.context)
        except NotLoggedInError as error:
            if arguments.endpoint is None or error.status_code is not None:
                raise
            return workspace.connect(arguments.endpoint, token=_asked_token(arguments.endpoint, error))

    @no_var_expand
    @line_magic
    @magic_arguments()
    @argument("action", choices=["start", "stop", "status"], help="what to do with the embedded cloud")
    def bento_cloud(self, line: str) -> Any:
        """Start, stop or look at the embedded cloud."""
        from ..client import embedded
        from ..display.cards import CloudCard

        action = parse(self.bento_cloud, line).action
        if action != "status":
            getattr(embedded, action)()
        return CloudCard(embedded.status())

    # --- deploy ----------------------------------------------------------

    @no_var_expand
    @line_magic
    @magic_arguments()
    @argument("target", help="a live object, a built Bento, or a tag")
    @deploy_options
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
        )

    # --- see ---------------------------------------------------------------------------------

    @no_var_expand
    @line_magic
    @magic_arguments()
    @argument("name", nargs="?", help="name of a deployment; none = all")
    def bento_status(self, line: str) -> Any:
        """How a deployment is, or all of them."""
        from .. import workspace

        name = parse(self.bento_status, line).name
        return workspace.deployments() if name is None else workspace.deployment(name)

    @no_var_expand
    @line_magic
    @magic_arguments()
    @argument("kind", choices=["bentos", "models", "deployments", "instance-types"], help="what to list")
    def bento_list(self, line: str) -> Any:
        """List Bentos, models, deployments or instance types of the cloud (Bentos: local ones too)."""
        from .. import workspace
        from ..display import listings

        kind = parse(self.bento_list, line).kind
        if kind == "bentos":
            return listings.bentos_table(workspace.local_bentos(), workspace.bentos())
        if kind == "models":
            return listings.models_table(workspace.models())
        if kind == "instance-types":
            return listings.instance_types_table(workspace.instance_types())
        return workspace.deployments()

    @no_var_expand
    @line_magic
    @magic_arguments()
    @argument("name", help="name of the deployment")
    @argument("--lines", type=int, default=50, help="how many lines")
    @argument("--source", default="", help="an instance's id, or 'image'; default: all")
    @argument("--follow", action="store_true", help="go on until interrupted")
    def bento_logs(self, line: str) -> Any:
        """Last lines of a deployment's logs."""
        from .. import workspace
        from ..display.listings import LogView, show_lines

        arguments = parse(self.bento_logs, line)
        dep = workspace.deployment(arguments.name)
        if not arguments.follow:
            return LogView(dep.logs(arguments.lines, arguments.source))
        try:
            for log_line in dep.cloud.follow_logs(dep.name, lines=arguments.lines, source=arguments.source):
                show_lines([log_line])
        except KeyboardInterrupt:
            pass  # that is how following ends
        return None

    # --- call --------------------------------------------------------------------------------

    @no_var_expand
    @line_cell_magic
    @magic_arguments()
    @argument("name", help="name of the deployment")
    @argument("endpoint", nargs="?", help="endpoint; default: the only one, or predict")
    @argument(
        "expression", nargs="?", help="input, as an expression; in a cell magic the cell is the JSON body"
    )
    def bento_call(self, line: str, cell: str | None = None) -> Any:
        """Call a deployment: `%bento_call NAME [ENDPOINT] EXPR`, or with a JSON body as the cell."""
        from .. import workspace

        name, rest = split_call(line)
        if not name:
            raise MagicUsageError("which deployment?", hint="%bento_call NAME [ENDPOINT] EXPR")
        dep = workspace.deployment(name)
        endpoints = dep.endpoints
        first, further = split_call(rest)
        endpoint = first if first in endpoints.names and (further or cell is not None) else ""
        if cell is not None:
            try:
                body = json.loads(cell)
            except ValueError as error:
                raise CallError(f"the cell is not JSON: {error}") from error
            return _shown(dep, lambda: dep.send(endpoint or rest, body))
        expression = further if endpoint else rest
        if not expression or (rest in endpoints.names and rest not in self.shell.user_ns):
            raise MagicUsageError(
                "what is the input?", hint=f"%bento_call {name} [{'|'.join(endpoints.names)}] EXPR"
            )
        hint = f"endpoints: {', '.join(endpoints.names)}"
        value = evaluate(self.shell, expression, "input", hint=hint)
        return _shown(dep, lambda: dep.call(endpoint, value))

    # --- change ------------------------------------------------------------------------------

    @no_var_expand
    @line_magic
    @magic_arguments()
    @argument("name", help="name of the deployment")
    def bento_terminate(self, line: str) -> Any:
        """Stop a deployment; its revisions and address are kept."""
        from .. import workspace

        return workspace.deployment(parse(self.bento_terminate, line).name).terminate()

    @no_var_expand
    @line_magic
    @magic_arguments()
    @argument("name", help="name of the deployment")
    def bento_start(self, line: str) -> Any:
        """Start a terminated deployment again."""
        from .. import workspace

        return workspace.deployment(parse(self.bento_start, line).name).start()

    @no_var_expand
    @line_magic
    @magic_arguments()
    @argument("name", help="name of the deployment")
    def bento_delete(self, line: str) -> Any:
        """Delete a deployment for good, with its revisions, logs and address."""
        from .. import workspace
        from ..display.tables import Note

        dep = workspace.deployment(parse(self.bento_delete, line).name)
        dep.delete()
        return Note(f"deployment {dep.name!r} is deleted")

    # --- by hand -----------------------------------------------------------------------------

    @no_var_expand
    @line_magic
    @magic_arguments()
    @argument("form", choices=["deploy"], help="which form")
    def bento_form(self, line: str) -> Any:
        """Show a form that does the same by hand."""
        from .. import forms

        return getattr(forms, parse(self.bento_form, line).form)(namespace=self.shell.user_ns)

    # --- objects -----------------------------------------------------------------------------

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


def _shown(dep: Any, call: Any) -> Any:
    """Make a call; while it takes long the cell says why, and in the end where the time went."""
    from ..display.progress import Progress

    cold = dep.status().ready == 0
    with Progress(f"Calling {dep.name}", ["answer"], after=0.5) as progress, progress.step("answer"):
        if cold:
            progress.detail("held while an instance starts")
        value = call()
        progress.detail(str(dep.last_timing))
    return value


def _asked_token(endpoint: str, error: Exception) -> str:
    """The token, asked for without echo; it is in no cell, output or history."""
    from getpass import getpass

    from IPython.core.error import StdinNotImplementedError

    try:
        token = getpass(f"API token for {endpoint}: ")
    except (StdinNotImplementedError, EOFError):
        raise error from None
    if not token:
        raise error
    return token
