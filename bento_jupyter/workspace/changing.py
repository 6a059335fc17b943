"""Change and end what is deployed: each verb by the deployment's name."""

from __future__ import annotations

from typing import Any

from ..client.cloud import Cloud
from ..client.deployment import Deployment
from ..errors import MagicUsageError
from .artifacts import BuiltBento, PushedBento
from .deploying import deploy, push
from .dryrun import DeployPlan
from .seeing import deployment

__all__ = ["canary", "delete", "restart", "rollback", "scale", "start", "terminate", "update"]


def update(
    name: str, target: Any = None, *, cloud: Cloud | str | None = None, **options: Any
) -> Deployment | DeployPlan:
    """Change a deployment: its Bento, its configuration, or both; what is not said stays.

    Args:
        name: The deployment.
        target: As of `deploy`; None = the Bento it runs.
        cloud: Cloud, or the name of its context; None = the current one.
        **options: As of `deploy`.

    Raises:
        NotFoundError: There is no such deployment.
    """
    dep = deployment(name, cloud=cloud)
    target = PushedBento(dep.bento, dep.cloud, sent=False) if target is None else target
    return deploy(target, name=name, cloud=dep.cloud, **options)


def scale(name: str, *, cloud: Cloud | str | None = None, **options: Any) -> Deployment:
    """Change how many instances a deployment has, and when; options as of `Deployment.scale`."""
    return deployment(name, cloud=cloud).scale(**options)


def rollback(
    name: str, revision: int | None = None, *, wait: bool = True, cloud: Cloud | str | None = None
) -> Any:
    """Let a deployment be what an earlier revision asked for.

    Args:
        name: The deployment.
        revision: Number of that revision; None = nothing is changed, the revisions are listed.
        wait: Return only when it is ready.
        cloud: Cloud, or the name of its context; None = the current one.
    """
    dep = deployment(name, cloud=cloud)
    if revision is not None:
        return dep.rollback(revision, wait=wait)
    return dep.revisions()


def canary(
    name: str,
    bento: BuiltBento | PushedBento | str | None = None,
    *,
    promote: bool = False,
    remove: bool = False,
    canary_name: str | None = None,
    cloud: Cloud | str | None = None,
    **options: Any,
) -> Deployment:
    """Let another Bento answer a part of a deployment's requests, then take it over or away.

    Args:
        name: The deployment.
        bento: A Bento; it is pushed first where the cloud does not have it.
        promote: Make the canary the main version instead.
        remove: Take all canaries away instead.
        canary_name: Name of the canary; None = `canary`, or the only one.
        cloud: Cloud, or the name of its context; None = the current one.
        **options: `weight`, `header`, `query`, `wait`: as of `Deployment.canary`.

    Raises:
        InvalidRequestError: It is not said what is to be done.
    """
    from ..errors import InvalidRequestError, NotFoundError

    dep = deployment(name, cloud=cloud)
    if (bento is not None) + promote + remove != 1:
        raise InvalidRequestError("say one of: a Bento, promote, remove", hint=f"{name} iris:v2 --weight 10")
    wait = {"wait": options.pop("wait", True)}
    if promote:
        return dep.promote_canary(canary_name, **wait)
    if bento is None:
        return dep.remove_canary(**wait)
    tag = bento if isinstance(bento, str) else bento.tag
    if not isinstance(bento, PushedBento):
        try:
            tag = push(bento, cloud=dep.cloud).tag
        except NotFoundError:
            pass  # not in the local store: it may be in the cloud's
    return dep.canary(tag, name=canary_name or "canary", **options, **wait)


def restart(name: str, *, wait: bool = True, cloud: Cloud | str | None = None) -> Deployment:
    """Replace a deployment's instances by new ones; the old ones answer until those are ready."""
    return deployment(name, cloud=cloud).restart(wait=wait)


def terminate(name: str, *, wait: bool = True, cloud: Cloud | str | None = None) -> Deployment:
    """Stop a deployment; its revisions and address are kept."""
    return deployment(name, cloud=cloud).terminate(wait=wait)


def start(name: str, *, wait: bool = True, cloud: Cloud | str | None = None) -> Deployment:
    """Start a terminated deployment again."""
    return deployment(name, cloud=cloud).start(wait=wait)


def delete(name: str, *, yes: bool = False, again: str = "", cloud: Cloud | str | None = None) -> None:
    """Delete a deployment for good, with its revisions, logs and address.

    Args:
        name: The deployment.
        yes: It is meant.
        again: Its name once more, which says the same.
        cloud: Cloud, or the name of its context; None = the current one.

    Raises:
        MagicUsageError: Neither is said; nothing has been deleted.
    """
    dep = deployment(name, cloud=cloud)
    if not yes and again != name:
        raise MagicUsageError(
            f"deleting {name!r} takes its revisions, logs and address for good",
            hint=f"%bento_delete {name} --yes; %bento_terminate {name} only stops it",
        )
    dep.delete()
