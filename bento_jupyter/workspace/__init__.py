"""The verbs: build -> prove -> push -> deploy -> call. Every face calls these and nothing below them.

```
obj --build--> BuiltBento --push--> PushedBento --deploy--> Deployment --call--> answer
```
"""

from __future__ import annotations

from ..client.local import local_bentos
from ..client.session import chosen, connect, current, disconnect, pinned
from .artifacts import BuiltBento, PushedBento
from .building import build, export, plan, prove
from .calling import called
from .changing import canary, delete, restart, rollback, scale, start, terminate, update
from .deploying import deploy, push, spec_of
from .dryrun import DeployPlan
from .imaging import image
from .owner import owner
from .promoting import Promotion, promote, promotion
from .seeing import bentos, clouds, deployment, deployments, instance_types, listed, models
from .steps import DEPLOY_STEPS

__all__ = [
    "DEPLOY_STEPS",
    "BuiltBento",
    "DeployPlan",
    "Promotion",
    "PushedBento",
    "bentos",
    "build",
    "called",
    "canary",
    "chosen",
    "clouds",
    "connect",
    "current",
    "delete",
    "deploy",
    "deployment",
    "deployments",
    "disconnect",
    "export",
    "image",
    "instance_types",
    "listed",
    "local_bentos",
    "models",
    "owner",
    "pinned",
    "plan",
    "promote",
    "promotion",
    "prove",
    "push",
    "restart",
    "rollback",
    "scale",
    "spec_of",
    "start",
    "terminate",
    "update",
]
