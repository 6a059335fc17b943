"""The magics about clouds: connect to one, list them, take a deployment from one to another."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from IPython.core.magic import Magics, line_magic, magics_class, no_var_expand
from IPython.core.magic_arguments import argument, magic_arguments

from ..errors import MagicUsageError, NotLoggedInError
from .parsing import DEFAULTS, parse

__all__ = ["BentoCloudMagics"]


@magics_class
class BentoCloudMagics(Magics):
    """Connect to clouds, several side by side.

    `%bento_login` is the embedded one, on this machine; `--cloud NAME` of a verb names another.
    """

    @no_var_expand
    @line_magic
    @magic_arguments()
    @argument("endpoint", nargs="?", help="address of a BentoCloud control plane; none = the embedded cloud")
    @argument(
        "--context",
        metavar="NAME",
        help="context of the bentoml client to use; with an endpoint: the name to keep that under",
    )
    @argument("--token-env", metavar="VAR", help="environment variable that holds the API token")
    @argument("--list", action="store_true", help="only list the clouds that --cloud can name")
    @argument("rest", nargs="*", help=argparse.SUPPRESS)
    @argument("--token", "--api-token", nargs="?", const="", help=argparse.SUPPRESS)
    def bento_login(self, line: str) -> Any:
        """Connect to a cloud: the embedded one, or BentoCloud at ENDPOINT.

        The token is asked for without echo, or comes from an environment variable, the bentoml client's
        context file or the keyring; it is never on the line.
        """
        from .. import workspace

        arguments = parse(self.bento_login, line)
        endpoint, context = arguments.endpoint, arguments.context
        is_token = endpoint is not None and "." not in endpoint and ":" not in endpoint
        if arguments.rest or arguments.token is not None or is_token:
            raise MagicUsageError(
                "a token does not belong on the line: it is in the notebook and in the history now",
                hint="revoke it in the cloud's console and delete the cell; %bento_login asks for a new one, "
                "or takes it from --token-env VAR",
            )
        if arguments.list:
            return workspace.clouds()
        try:
            return workspace.connect(endpoint, context=context, token_env=arguments.token_env)
        except NotLoggedInError as error:
            if endpoint is None or arguments.token_env:
                raise  # with a status the token that was found is not accepted (any more)
            token = self._asked_token(endpoint, error)
        from urllib.parse import urlsplit

        from ..client.addresses import checked_endpoint

        # One that was typed is kept, as `bentoml cloud login` keeps it: nobody types it twice.
        name = context or urlsplit(checked_endpoint(endpoint)).netloc
        return workspace.connect(endpoint, token=token, context=name)

    @no_var_expand
    @line_magic
    @magic_arguments()
    @argument("name", help="name of the cloud; %%bento_login --list shows them")
    def bento_logout(self, line: str) -> Any:
        """Forget a cloud and its token, here and in the bentoml client's context file.

        The token stays valid until it is revoked in the cloud's console.
        """
        from .. import workspace

        workspace.disconnect(parse(self.bento_logout, line).name)
        return workspace.clouds()

    @no_var_expand
    @line_magic
    @magic_arguments()
    @argument("action", choices=["start", "stop", "status"], help="what to do with the embedded cloud")
    @argument("--engine", choices=["processes", "containers", "ray"], help="what is to run instances")
    @argument("--ray-address", metavar="URL", help="dashboard of the Ray cluster: http://HEAD:8265")
    @argument("--ray-token-env", metavar="VAR", help="variable that has the cluster's token")
    @argument("--ray-ca", metavar="FILE", help="who signed the dashboard's certificate (PEM)")
    @argument("--ray-tls", action="store_true", help="TLS between the cloud and the nodes")
    def bento_cloud(self, line: str) -> Any:
        """Start, stop or look at the embedded cloud.

        Where it runs instances is said once: it starts like that again, whatever starts it.
        """
        from ..client import embedded
        from ..display.cards import CloudCard

        told = vars(parse(self.bento_cloud, line))
        action = told.pop("action")
        options = embedded.engine_options(**told)
        if options and action != "start":
            raise MagicUsageError(
                f"{options[0]} is said when the cloud is started, not to {action}",
                hint=f"%bento_cloud start {' '.join(options)}",
            )
        if action == "start":
            embedded.start_with(options)
        elif action == "stop":
            embedded.stop()
        return CloudCard(embedded.status())

    @no_var_expand
    @line_magic
    @magic_arguments()
    @argument("name", help="name of the deployment")
    @argument("--cloud", dest="to", metavar="NAME", help="where to: context of a cloud, or 'embedded'")
    @argument("--from", dest="source", metavar="NAME", help="where it is now; default: the current cloud")
    @argument(
        "--instance-type",
        dest="type_there",
        metavar="NAME",
        help="instance type to use there; default: the same",
    )
    @argument("--dry-run", action="store_true", help="only show what will differ")
    @argument("--yes", action="store_true", help="do it; without, only what will differ is shown")
    @argument("--no-wait", action="store_true", help="return as soon as the cloud has taken it")
    def bento_promote(self, line: str) -> Any:
        """Take a deployment to another cloud: the very same Bento, with its configuration."""
        from .. import workspace

        arguments = parse(self.bento_promote, line)
        if arguments.to is None:
            raise MagicUsageError("where to?", hint=f"%bento_promote {arguments.name} --cloud NAME")
        promotion = workspace.promotion(
            arguments.name,
            to=arguments.to,
            source=arguments.source or DEFAULTS.get("cloud"),
            instance_type=arguments.type_there,
        )
        if arguments.dry_run or not arguments.yes:
            return promotion
        return promotion.run(wait=not arguments.no_wait)

    def _asked_token(self, endpoint: str, error: Exception) -> str:
        """The token, asked for without echo; it is in no cell, output or history."""
        from getpass import getpass

        from IPython.core.error import StdinNotImplementedError

        if not hasattr(self.shell, "kernel") and not (sys.stdin is not None and sys.stdin.isatty()):
            raise error  # `getpass` would read what is piped in, with an echo
        try:
            token = getpass(f"API token for {endpoint}: ")
        except (StdinNotImplementedError, EOFError):
            raise error from None
        if not token:
            raise error
        return token
