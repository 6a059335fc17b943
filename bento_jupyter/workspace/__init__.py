"""The verbs: build -> prove -> push -> deploy -> call. Every face calls these and nothing below them.

```
obj --build--> BuiltBento --push--> PushedBento --deploy--> Deployment --call--> answer
```
"""

from __future__ import annotations

from ..client.local import local_bentos
from ..client.session import chosen, connect, current
from .artifacts import BuiltBento, PushedBento
from .building import build, export, plan, prove
from .calling import called
from .deploying import deploy, push, spec_of
from .seeing import bentos, deployment, deployments, instance_types, listed, models
from .steps import DEPLOY_STEPS

__all__ = [
    "DEPLOY_STEPS",
    "BuiltBento",
    "PushedBento",
    "bentos",
    "build",
    "called",
    "chosen",
    "connect",
    "current",
    "deploy",
    "deployment",
    "deployments",
    "export",
    "instance_types",
    "listed",
    "local_bentos",
    "models",
    "plan",
    "prove",
    "push",
    "spec_of",
]
