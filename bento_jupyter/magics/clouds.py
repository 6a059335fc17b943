"""The magics about clouds: connect to one, start and stop the embedded one."""

from __future__ import annotations

from typing import Any

from IPython.core.magic import Magics, line_magic, magics_class, no_var_expand
from IPython.core.magic_arguments import argument, magic_arguments

from .parsing import parse

__all__ = ["BentoCloudMagics"]


@magics_class
class BentoCloudMagics(Magics):
    """Connect to a cloud.

    `%bento_login` is the embedded one, on this machine.
    """

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
