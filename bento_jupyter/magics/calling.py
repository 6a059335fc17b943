"""The magics that call deployments."""

from __future__ import annotations

import json
from typing import Any

from IPython.core.magic import Magics, line_cell_magic, magics_class, no_var_expand
from IPython.core.magic_arguments import argument, magic_arguments

from ..errors import CallError, MagicUsageError
from .parsing import evaluate, split_call

__all__ = ["BentoCallMagics"]


@magics_class
class BentoCallMagics(Magics):
    """Call what is deployed.

    `%bento_call iris X_test[:5]`
    """

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
