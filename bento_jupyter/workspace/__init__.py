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
from .promoting import Promotion, promote, promotion
from .seeing import bentos, clouds, deployment, deployments, instance_types, listed, models
from .steps import DEPLOY_STEPS

__all__ = [
    "DEPLOY_STEPS",
    "BuiltBento",
    "Promotion",
    "PushedBento",
    "bentos",
    "build",
    "called",
    "chosen",
    "clouds",
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
    "promote",
    "promotion",
    "prove",
    "push",
    "spec_of",
]
