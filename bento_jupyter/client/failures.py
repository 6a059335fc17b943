"""Failures of deployments and calls, told in terms of the notebook that the code came from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import CallError, CloudError, DeploymentError, NotFoundError
from .local import stored
from .tracebacks import MODULE, executed_cells, in_cells, last_traceback

if TYPE_CHECKING:
    from datetime import datetime

    from ..views import DeploymentView
    from .cloud import Cloud

__all__ = ["explain", "failure_of"]

#: Last lines of a log in which the traceback of a failure is looked for.
FAILURE_LINES = 200


def failure_of(cloud: Cloud, view: DeploymentView) -> DeploymentError:
    """The error for a deployment that has failed, with the end of its log and the cells it comes from."""
    try:
        lines = [line.text for line in cloud.logs(view.name, lines=FAILURE_LINES)]
    except CloudError:
        lines = []
    reason = f": {view.reason}" if view.reason else ""
    return DeploymentError(
        f"deployment {view.name!r} is {view.status.value}{reason}",
        hint=f"mend it and deploy again; %bento_logs {view.name} shows the whole log",
        log="\n".join(lines[-30:]),
        cells=_in_cells(view.bento, last_traceback(lines)),
    )


def explain(error: CallError, cloud: Cloud, name: str, begun: datetime) -> None:
    """Tell a failure by its cell, where the log holds one failure only since then."""
    if error.status_code != 500 or not cloud.embedded:
        return
    try:
        found = cloud.logs(name, lines=FAILURE_LINES, since=begun.replace(microsecond=0))
        bento = cloud.view(name).bento
    except CloudError:
        return
    lines = [line.text for line in found]
    if sum("Exception on /" in line for line in lines) == 1:
        error.cells = _in_cells(bento, last_traceback(lines))
    error.hint = f"%bento_logs {name} shows the whole traceback"


def _in_cells(bento: str, traceback: list[str]) -> list[str]:
    """A traceback of this deployment's log in terms of the notebook; [] where that cannot be told."""
    try:
        folder = Path(stored(bento).path)
    except NotFoundError:
        return []  # built elsewhere
    return in_cells(traceback, folder / "src" / MODULE, executed_cells())
