"""The magics that look: status, lists, logs."""

from __future__ import annotations

from typing import Any

from IPython.core.magic import Magics, line_magic, magics_class, no_var_expand
from IPython.core.magic_arguments import argument, magic_arguments

from .options import cloud_option
from .parsing import parse

__all__ = ["BentoSeeMagics"]


@magics_class
class BentoSeeMagics(Magics):
    """Look at what is deployed.

    `%bento_status iris`
    """

    @no_var_expand
    @line_magic
    @magic_arguments()
    @argument("name", nargs="?", help="name of a deployment; none = all")
    @cloud_option
    def bento_status(self, line: str) -> Any:
        """How a deployment is, or all of them."""
        from .. import workspace

        arguments = parse(self.bento_status, line)
        name, cloud = arguments.name, arguments.cloud
        return workspace.deployments(cloud=cloud) if name is None else workspace.deployment(name, cloud=cloud)

    @no_var_expand
    @line_magic
    @magic_arguments()
    @argument("kind", choices=["bentos", "models", "deployments", "instance-types"], help="what to list")
    @cloud_option
    def bento_list(self, line: str) -> Any:
        """List Bentos, models, deployments or instance types of the cloud (Bentos: local ones too)."""
        from .. import workspace
        from ..display import listings

        arguments = parse(self.bento_list, line)
        kind, cloud = arguments.kind, arguments.cloud
        if kind == "bentos":
            return listings.bentos_table(workspace.local_bentos(), workspace.bentos(cloud=cloud))
        if kind == "models":
            return listings.models_table(workspace.models(cloud=cloud))
        if kind == "instance-types":
            return listings.instance_types_table(workspace.instance_types(cloud=cloud))
        return workspace.deployments(cloud=cloud)

    @no_var_expand
    @line_magic
    @magic_arguments()
    @argument("name", help="name of the deployment")
    @argument("--lines", type=int, default=50, help="how many lines")
    @argument("--source", default="", help="an instance's id, or 'image'; default: all")
    @argument("--follow", action="store_true", help="go on until interrupted")
    @cloud_option
    def bento_logs(self, line: str) -> Any:
        """Last lines of a deployment's logs."""
        from .. import workspace
        from ..display.listings import LogView, show_lines

        arguments = parse(self.bento_logs, line)
        dep = workspace.deployment(arguments.name, cloud=arguments.cloud)
        if not arguments.follow:
            return LogView(dep.logs(arguments.lines, arguments.source))
        try:
            for log_line in dep.cloud.follow_logs(dep.name, lines=arguments.lines, source=arguments.source):
                show_lines([log_line])
        except KeyboardInterrupt:
            pass  # that is how following ends
        return None
