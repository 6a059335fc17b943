"""Failures of deployments and calls, told in terms of the notebook that the code came from."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import CallError, CloudError, DeploymentError, NotFoundError
from ..spec import Status
from .local import stored
from .refusals import raised_midway
from .tracebacks import MODULE, executed_cells, in_cells, last_traceback, traceback_of

if TYPE_CHECKING:
    from ..views import DeploymentView
    from .cloud import Cloud
    from .endpoint import StreamEnd

__all__ = ["explain", "failure_of", "failure_of_stream"]

#: Last lines of a log in which the traceback of a failure is looked for.
FAILURE_LINES = 200
#: The same where many requests write into it.
CALL_LINES = 2000
#: What BentoML logs when a generator raises.
BROKEN = "Error while streaming response"


def failure_of(cloud: Cloud, view: DeploymentView) -> DeploymentError:
    """The error for a deployment that has failed, with the end of its log and the cells it comes from."""
    try:
        lines = [line.text for line in cloud.logs(view.name, lines=FAILURE_LINES)]
    except CloudError:
        lines = []
    reason = f": {view.reason}" if view.reason else ""
    how = "has failed" if view.status is Status.FAILED else f"is {view.status.value}"
    return DeploymentError(
        f"deployment {view.name!r} {how}{reason}",
        hint=f"mend it and deploy again; %bento_logs {view.name} shows the whole log",
        log="\n".join(lines[-30:]),
        cells=_in_cells(view.bento, last_traceback(lines)),
    )


def explain(errors: Iterable[CallError], cloud: Cloud, name: str) -> None:
    """Tell the failures of calls by the cells that their code came from, which the log knows by request."""
    failed = [error for error in errors if error.request_id and (error.status_code or 0) >= 500]
    if not failed or not cloud.embedded:
        return
    try:
        lines = cloud.logs(name, lines=CALL_LINES)
        bento = cloud.view(name).bento
    except CloudError:
        return
    for error in failed:
        traceback = traceback_of(lines, error.request_id)
        if traceback:
            error.cells = _in_cells(bento, traceback)
            error.hint = f"%bento_logs {name} shows the whole traceback"


def failure_of_stream(cloud: Cloud, name: str, endpoint: str, end: StreamEnd) -> CallError | None:
    """The error for a stream whose generator has raised: its answer ends as if all were well."""
    if not end.request_id or not cloud.embedded:
        return None
    lines = cloud.logs(name, lines=CALL_LINES)
    if not any(BROKEN in line.text and f"span={end.request_id}," in line.text for line in lines):
        return None
    traceback = traceback_of(lines, end.request_id)
    error = raised_midway(endpoint or "predict", "".join(traceback[-1:]), traceback, end.request_id)
    error.hint = f"%bento_logs {name} shows the whole traceback"
    error.cells = _in_cells(cloud.view(name).bento, traceback)
    return error


def _in_cells(bento: str, traceback: list[str]) -> list[str]:
    """A traceback of this deployment's log in terms of the notebook; [] where that cannot be told."""
    try:
        folder = Path(stored(bento).path)
    except NotFoundError:
        return []  # built elsewhere
    return in_cells(traceback, folder / "src" / MODULE, executed_cells())
