"""What happened between two looks at a deployment, in one line. Pure."""

from __future__ import annotations

from ..spec import InstanceState
from ..views import DeploymentView, InstanceView

__all__ = ["describe"]

_WORDS = {
    InstanceState.STARTING: "is starting",
    InstanceState.READY: "is ready",
    InstanceState.DRAINING: "finishes its requests",
    InstanceState.STOPPED: "has stopped",
    InstanceState.FAILED: "failed",
}


def describe(before: DeploymentView | None, after: DeploymentView) -> str:
    """The status, and what made this worth an event.

    Args:
        before: What was told last; None = nothing yet.
        after: How the deployment is now.

    Returns:
        E.g. `running: instance iris-abcd is ready`.
    """
    news: list[str] = []
    if before is not None and after.revision != before.revision:
        news.append(f"revision {after.revision} is active")
    if after.reason and (before is None or (after.status, after.reason) != (before.status, before.reason)):
        news.append(after.reason)
    known = {each.id: each for each in before.instances} if before else {}
    news += [_instance(each) for each in after.instances if _is_new(each, known.get(each.id))]
    present = {each.id for each in after.instances}
    news += [f"instance {key} has ended" for key, each in known.items() if _has_ended(each, key in present)]
    return f"{after.status.value}: {'; '.join(news)}" if news else after.status.value


def _is_new(instance: InstanceView, before: InstanceView | None) -> bool:
    return before is None or instance.state is not before.state


def _has_ended(before: InstanceView, still_shown: bool) -> bool:
    return not still_shown and before.state is not InstanceState.FAILED


def _instance(instance: InstanceView) -> str:
    text = f"instance {instance.id} {_WORDS[instance.state]}"
    if instance.state is InstanceState.READY and instance.cold_start is not None:
        text += f" after {instance.cold_start.seconds:.2f} s"
    return f"{text}: {instance.reason}" if instance.reason else text
