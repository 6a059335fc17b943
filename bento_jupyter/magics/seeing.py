"""The magics that look: status, lists, logs, metrics."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from typing import Any

from IPython.core.magic import Magics, line_magic, magics_class, no_var_expand
from IPython.core.magic_arguments import argument, magic_arguments

from ..errors import MagicUsageError
from .options import cloud_option
from .parsing import parse

__all__ = ["BentoSeeMagics"]

KINDS = ["deployments", "bentos", "models", "instance-types", "secrets", "images", "clouds"]
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


@magics_class
class BentoSeeMagics(Magics):
    """Look at what is deployed.

    `%bento_status iris`
    """

    @no_var_expand
    @line_magic
    @magic_arguments()
    @argument("name", nargs="?", help="name of a deployment; none = all")
    @argument("--watch", action="store_true", help="show each change as it comes, until interrupted")
    @argument("--until", metavar="STATUS", help="watch until it is 'running', 'scaled-to-zero' ...")
    @argument("--events", action="store_true", help="what happened to it, newest first")
    @argument("--revisions", action="store_true", help="its revisions, with what changed")
    @argument("--instances", action="store_true", help="its instances")
    @cloud_option
    def bento_status(self, line: str) -> Any:
        """How a deployment is, or all of them."""
        from .. import workspace

        arguments = parse(self.bento_status, line)
        wanted = [what for what in ("events", "revisions", "instances") if getattr(arguments, what)]
        watched = arguments.watch or arguments.until
        if arguments.name is None:
            if wanted or watched:
                option = wanted[0] if wanted else "until" if arguments.until else "watch"
                raise MagicUsageError(
                    f"--{option} of which deployment?", hint=f"%bento_status NAME --{option}"
                )
            return workspace.deployments(cloud=arguments.cloud)
        if len(wanted) + bool(watched) > 1:
            raise MagicUsageError(
                "one of --watch, --events, --revisions and --instances at a time",
                hint=f"%bento_status {arguments.name} --{wanted[0]}",
            )
        dep = workspace.deployment(arguments.name, cloud=arguments.cloud)
        if watched:
            dep.watch(until=arguments.until)
            return None  # it stands there already
        return getattr(dep, wanted[0])() if wanted else dep

    @no_var_expand
    @line_magic
    @magic_arguments()
    @argument("kind", nargs="?", choices=KINDS, default="deployments", help="what to list")
    @argument("names", nargs="?", default="*", help="only names like this, e.g. 'iris*'")
    @argument("--running", action="store_true", help="deployments that run: how long, last asked, whose")
    @cloud_option
    def bento_list(self, line: str) -> Any:
        """List deployments, Bentos, models, images ... of a cloud (Bentos: local ones too), or the clouds."""
        from .. import workspace

        arguments = parse(self.bento_list, line)
        if arguments.running and arguments.kind != "deployments":
            raise MagicUsageError(f"--running is of deployments, not {arguments.kind}")
        kind = "running" if arguments.running else arguments.kind
        return workspace.listed(kind, names=arguments.names, cloud=arguments.cloud)

    @no_var_expand
    @line_magic
    @magic_arguments()
    @argument("name", help="name of the deployment")
    @argument("--lines", type=int, default=50, help="how many lines")
    @argument("--source", default="", help="an instance's id, or 'image'; default: all")
    @argument("--follow", action="store_true", help="go on until interrupted")
    @argument("-q", "--query", metavar="TEXT", default="", help="only lines that hold this text")
    @argument("--regex", action="store_true", help="the text is a regular expression")
    @argument("--since", metavar="AGO", help="only lines since then: 30s, 10m, 2h, 1d")
    @cloud_option
    def bento_logs(self, line: str) -> Any:
        """Last lines of a deployment's logs."""
        from .. import workspace
        from ..display.logs import show_lines

        arguments = parse(self.bento_logs, line)
        dep = workspace.deployment(arguments.name, cloud=arguments.cloud)
        which: dict[str, Any] = {
            "q": arguments.query,
            "regex": arguments.regex,
            "since": _ago(arguments.since),
        }
        if not arguments.follow:
            return dep.logs(arguments.lines, arguments.source, **which)
        try:
            show_lines(dep.follow_logs(arguments.lines, arguments.source, **which))
        except KeyboardInterrupt:
            pass  # that is how following ends
        return None

    @no_var_expand
    @line_magic
    @magic_arguments()
    @argument("name", help="name of the deployment")
    @argument(
        "--step",
        type=int,
        choices=[1, 60],
        default=1,
        help="seconds per point: 1, the last 15 minutes, or 60, the last day",
    )
    @cloud_option
    def bento_metrics(self, line: str) -> Any:
        """Requests, errors, latencies, instances and cold starts of a deployment, as a small chart."""
        from .. import workspace

        arguments = parse(self.bento_metrics, line)
        return workspace.deployment(arguments.name, cloud=arguments.cloud).metrics(arguments.step)

    @no_var_expand
    @line_magic
    @magic_arguments()
    @argument("name", help="name of the deployment")
    @argument(
        "--push",
        metavar="REGISTRY/REPOSITORY:TAG",
        help="send its OCI image there, built first if need be, with the credentials of podman or docker",
    )
    @cloud_option
    def bento_image(self, line: str) -> Any:
        """What a deployment runs in: image, digest, size, log; or send its OCI image to a registry."""
        from .. import workspace

        arguments = parse(self.bento_image, line)
        return workspace.image(arguments.name, push=arguments.push, cloud=arguments.cloud)


def _ago(word: str | None) -> datetime | None:
    """The time that `10m` ago was.

    Raises:
        MagicUsageError: It is no such word.
    """
    if word is None:
        return None
    found = re.fullmatch(r"(\d{1,6})([smhd])", word)
    if found is None:
        raise MagicUsageError(f"--since {word!r} is no time", hint="e.g. 30s, 10m, 2h or 1d")
    return datetime.now(timezone.utc) - timedelta(seconds=int(found[1]) * UNITS[found[2]])
