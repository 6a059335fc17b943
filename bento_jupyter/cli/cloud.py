"""`bento-jupyter cloud start|stop|status|gc|login`: the embedded cloud on this machine."""

from __future__ import annotations

import json
import os
from typing import Any

__all__ = ["add"]


def add(commands: Any) -> None:
    """Declare `cloud` and its actions.

    Args:
        commands: The subparsers of the command.
    """
    cloud = commands.add_parser("cloud", help="the embedded cloud on this machine").add_subparsers(
        required=True, metavar="ACTION"
    )
    start = cloud.add_parser("start", help="start it, unless it runs")
    start.add_argument("--host", help="address to listen at; default: 127.0.0.1, this machine only")
    start.add_argument("--port", help="port of the control plane; default: that of last time")
    start.add_argument(
        "--public-host", action="append", default=[], metavar="NAME", help="name that others call it by"
    )
    start.add_argument("--tls-cert", metavar="FILE", help="certificate (PEM) to show there")
    start.add_argument("--tls-key", metavar="FILE", help="its key (PEM)")
    start.add_argument(
        "--insecure", action="store_true", help="plain HTTP there: something else protects the connection"
    )
    start.add_argument(
        "--engine", help="what runs instances: processes of this machine (default), containers on it, or ray"
    )
    start.add_argument("--ray-address", metavar="URL", help="dashboard of the Ray cluster: http://HEAD:8265")
    start.add_argument("--ray-token-env", metavar="VAR", help="variable that has the cluster's token")
    start.add_argument("--ray-ca", metavar="FILE", help="who signed the dashboard's certificate (PEM)")
    start.add_argument("--ray-tls", action="store_true", help="TLS between the cloud and the nodes")
    start.set_defaults(run=_start)
    stop = cloud.add_parser("stop", help="stop it with everything it runs")
    stop.set_defaults(run=_stop)
    status = cloud.add_parser("status", help="how it is; exit code 1 when it does not run")
    status.add_argument("--json", action="store_true", help="for programs")
    status.set_defaults(run=_status)
    gc = cloud.add_parser("gc", help="delete what nobody needs: old content, environments, logs")
    gc.add_argument("--dry-run", action="store_true", help="only say what would go")
    gc.set_defaults(run=_gc)
    login = cloud.add_parser("login", help="make plain `bentoml` commands talk to it")
    login.add_argument("--context", default=None, help="name of the context; default: embedded")
    login.set_defaults(run=_login)


def _start(arguments: Any) -> int:
    from ..client import embedded

    files = {
        "--tls-cert": arguments.tls_cert and os.path.abspath(arguments.tls_cert),
        "--tls-key": arguments.tls_key and os.path.abspath(arguments.tls_key),
    }
    named = {"--host": arguments.host, "--port": arguments.port, **files}
    options = [word for name, value in named.items() if value for word in (name, value)]
    options += [word for name in arguments.public_host for word in ("--public-host", name)]
    options += ["--insecure"] if arguments.insecure else []
    engine = {name: getattr(arguments, name) for name in ("engine", "ray_address", "ray_token_env", "ray_ca")}
    options += embedded.engine_options(**engine, ray_tls=arguments.ray_tls)
    state = embedded.start_with(options)
    print(f"the embedded cloud runs at {state.endpoint}")
    return 0


def _stop(_: Any) -> int:
    from ..client import embedded

    print("the embedded cloud is stopped" if embedded.stop() else "the embedded cloud was not running")
    return 0


def _status(arguments: Any) -> int:
    from ..client import embedded
    from ..client.cloud import Cloud
    from ..display.cards import cloud_card, deployments_table

    view, state = embedded.status(), embedded.find()
    if view is None or state is None:
        print(json.dumps({"running": False}) if arguments.json else "the embedded cloud is not running")
        return 1
    views = Cloud("embedded", state.endpoint, state.token, embedded=True).deployments()
    if arguments.json:
        body = {
            "running": True,
            "endpoint": state.endpoint,
            "token_file": state.token_file,
            "pid": state.pid,
            "version": state.version,
            "zygotes": [item.model_dump(mode="json") for item in view.zygotes],
            "deployments": [item.model_dump(mode="json", exclude={"event_id"}) for item in views],
        }
        print(json.dumps(body, indent=1))
    else:
        print(cloud_card(view)["text/plain"])
        print(f"  token        in {state.token_file}")
        print(deployments_table(views))
    return 0


def _gc(arguments: Any) -> int:
    from ..client import embedded
    from ..client.cloud import Cloud
    from ..display.words import size

    state = embedded.find()
    if state is None:
        print("the embedded cloud is not running; it deletes what nobody needs: bento-jupyter cloud start")
        return 1
    found = Cloud("embedded", state.endpoint, state.token, embedded=True).garbage(
        delete=not arguments.dry_run
    )
    for item in found.items:
        print(f"{item.kind:12} {size(item.bytes):>10}  {item.name}")
    done = "deleted" if found.deleted else "would be deleted"
    print(f"{len(found.items)} pieces, {size(found.bytes)}: {done}" if found.items else "no garbage")
    return 0


def _login(arguments: Any) -> int:
    from ..client import embedded

    context = arguments.context or embedded.CONTEXT_NAME
    state = embedded.login(context=context)
    print(f"`bentoml` commands now talk to {state.endpoint} (context {context!r})")
    print("`bentoml cloud update-current-context NAME` goes back to another one")
    return 0
