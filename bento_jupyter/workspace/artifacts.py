"""What the verbs hand on: a Bento in the local store, and one in a cloud's registry."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..client.cloud import Cloud

if TYPE_CHECKING:
    from ..capture import Plan, Proof
    from ..client.deployment import Deployment
    from .dryrun import DeployPlan

__all__ = ["BuiltBento", "PushedBento"]


@dataclass(frozen=True)
class BuiltBento:
    """A Bento in the local store, built from an object of the notebook.

    Attributes:
        tag: `name:version`.
        path: Its folder in the store.
        project: The readable project it was built from.
        plan: What went in and why; None when it was built elsewhere.
        proof: That it answers as the object did; None when not proven.
    """

    tag: str
    path: Path
    project: Path | None = field(default=None, repr=False)
    plan: Plan | None = field(default=None, repr=False)
    proof: Proof | None = field(default=None, repr=False)

    def prove(self) -> Proof:
        """Run it in its own environment and compare its answers with the object's."""
        from .building import prove

        return prove(self)

    def push(self) -> PushedBento:
        """Send it to the current cloud."""
        from .deploying import push

        return push(self)

    def deploy(self, **options: Any) -> Deployment | DeployPlan:
        """Deploy it; options as of `bento_jupyter.deploy`."""
        from .deploying import deploy

        return deploy(self, **options)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        from ..display.builds import built_card

        return built_card(self.tag, self.plan, self.proof, self.project)


@dataclass(frozen=True)
class PushedBento:
    """A Bento in a cloud's registry.

    Attributes:
        tag: `name:version`.
        cloud: The cloud that has it.
        sent: False when the cloud had it already.
    """

    tag: str
    cloud: Cloud
    sent: bool = True

    def __repr__(self) -> str:
        return f"<Bento {self.tag} in {self.cloud.name}{'' if self.sent else ', was there already'}>"

    def deploy(self, **options: Any) -> Deployment | DeployPlan:
        """Deploy it; options as of `bento_jupyter.deploy`."""
        from .deploying import deploy

        return deploy(self, **options)
