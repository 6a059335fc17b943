"""What all magics share: the list of them, their settings, and the form."""

from __future__ import annotations

from typing import Any

from IPython.core.magic import Magics, line_cell_magic, line_magic, magics_class, no_var_expand
from IPython.core.magic_arguments import argument, magic_arguments
from traitlets import Bool, Enum, Unicode, observe

from ..errors import BentoJupyterError, MagicUsageError
from .help import first_line, unknown_verb, verbs_of
from .options import cloud_option
from .parsing import DEFAULTS, NEW_ONLY, parse

__all__ = ["BentoMagics"]


@magics_class
class BentoMagics(Magics):
    """Take objects of the notebook to endpoints that other people call.

    `%bento_deploy clf --sample X_test --mode on-demand` does it all; `%bento_call clf X_test[:5]` calls it.
    `%config BentoMagics.cloud = "prod"` sets what a line need not say any more.
    """

    show_tracebacks = Bool(False, help="Show whole tracebacks of bento_jupyter's errors.").tag(config=True)
    cloud = Unicode(help="Cloud of the verbs that do not say --cloud; empty: the current one.").tag(
        config=True
    )
    mode = Enum(
        ["", "online", "on-demand"], "", help="Mode of what is deployed without --mode; empty: online."
    ).tag(config=True)
    instance_type = Unicode(
        help="Instance type of what is deployed without --instance-type; empty: the cloud's default."
    ).tag(config=True)
    prove = Bool(True, help="Compare each Bento's answers with the object's; False is --no-prove.").tag(
        config=True
    )

    @observe("show_tracebacks")
    def _tracebacks(self, change: Any) -> None:
        BentoJupyterError.show_tracebacks = change["new"]

    @observe("cloud", "mode", "instance_type")
    def _default(self, change: Any) -> None:
        DEFAULTS.pop(change["name"], None)
        if change["new"]:
            DEFAULTS[change["name"]] = change["new"]

    @observe("prove")
    def _proving(self, change: Any) -> None:
        DEFAULTS.pop("no_prove", None)
        if not change["new"]:
            DEFAULTS["no_prove"] = True

    @no_var_expand
    @line_cell_magic
    def bento(self, line: str, cell: str | None = None) -> Any:
        """The verbs, a line each; `%bento VERB ...` is `%bento_VERB ...`."""
        from ..display.tables import Table

        known = verbs_of(self.shell)
        verb, _, rest = line.strip().partition(" ")
        if verb == "doctor":
            from ..doctor import Report

            return Report()
        if not verb:
            rows = [[f"%bento_{name}", first_line(function)] for name, function in known.items()]
            return Table(["verb", "what it does (%bento_deploy? explains one)"], rows)
        if verb not in known:
            raise unknown_verb(verb, list(known))
        if cell is not None:
            return self.shell.run_cell_magic(f"bento_{verb}", rest, cell)
        return self.shell.run_line_magic(f"bento_{verb}", rest)

    @no_var_expand
    @line_magic
    @magic_arguments()
    @argument("form", choices=["build", "deploy", "call", "status", "login"], help="which form")
    @argument("name", nargs="?", default="", help="deployment to call, to watch, or to change")
    @argument("--clone", action="store_true", help="deploy: another one like NAME, instead of changing it")
    @cloud_option
    def bento_form(self, line: str) -> Any:
        """Show a form that does the same by hand."""
        from .. import forms

        arguments = parse(self.bento_form, line)
        name, cloud, namespace = arguments.name, arguments.cloud, self.shell.user_ns
        if arguments.form in ("build", "login") and (name or "--cloud" in line):
            raise MagicUsageError(
                f"the form {arguments.form} is about no deployment"
                if name
                else f"the form {arguments.form} takes no --cloud",
                hint=f"%bento_form {arguments.form}",
            )
        if arguments.clone and not (name and arguments.form == "deploy"):
            raise MagicUsageError(
                "--clone makes another deployment like one", hint="%bento_form deploy NAME --clone"
            )
        if arguments.form == "build":
            return forms.build(namespace=namespace)
        if arguments.form == "login":
            return forms.login()
        if arguments.form == "deploy":
            how = "clone" if arguments.clone else "update"
            defaults = {key: DEFAULTS[key] for key in NEW_ONLY if key in DEFAULTS}
            return forms.deploy(namespace=namespace, cloud=cloud, defaults=defaults, **{how: name})
        if arguments.form == "call":
            return forms.call(name, namespace=namespace, cloud=cloud)
        return forms.status(name, cloud=cloud)
