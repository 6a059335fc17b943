"""What all magics share: their settings, and the form."""

from __future__ import annotations

from typing import Any

from IPython.core.magic import Magics, line_magic, magics_class, no_var_expand
from IPython.core.magic_arguments import argument, magic_arguments
from traitlets import Bool, observe

from ..errors import BentoJupyterError, MagicUsageError
from .parsing import parse

__all__ = ["BentoMagics"]


@magics_class
class BentoMagics(Magics):
    """Take objects of the notebook to endpoints that other people call.

    `%bento_deploy clf --sample X_test --mode on-demand` does it all; `%bento_call clf X_test[:5]` calls it.
    """

    show_tracebacks = Bool(False, help="Show whole tracebacks of bento_jupyter's errors.").tag(config=True)

    @observe("show_tracebacks")
    def _tracebacks(self, change: Any) -> None:
        BentoJupyterError.show_tracebacks = change["new"]

    @no_var_expand
    @line_magic
    @magic_arguments()
    @argument("form", choices=["build", "deploy", "call", "status", "login"], help="which form")
    @argument("name", nargs="?", default="", help="deployment to call, to watch, or to change")
    @argument("--clone", action="store_true", help="deploy: another one like NAME, instead of changing it")
    def bento_form(self, line: str) -> Any:
        """Show a form that does the same by hand."""
        from .. import forms

        arguments = parse(self.bento_form, line)
        name, namespace = arguments.name, self.shell.user_ns
        if name and arguments.form in ("build", "login"):
            raise MagicUsageError(
                f"the form {arguments.form} is about no deployment", hint=f"%bento_form {arguments.form}"
            )
        if arguments.form == "build":
            return forms.build(namespace=namespace)
        if arguments.form == "deploy":
            how = "clone" if arguments.clone else "update"
            return forms.deploy(namespace=namespace, **{how: name})
        if arguments.form == "call":
            return forms.call(name, namespace=namespace)
        return forms.status(name) if arguments.form == "status" else forms.login()
