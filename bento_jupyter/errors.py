"""Every error that bento_jupyter raises on purpose, in one tree.

```
BentoJupyterError                 base: message, hint
├── BuildError                    an object cannot be turned into a Bento
│   ├── NotServableError          no endpoint can be made of it, or it refers to what cannot be shipped
│   └── SampleError               the sample does not fit the object
├── ProofError                    the served answer differs from the notebook's, or there was none
├── EnvironmentBuildError         the locked environment could not be made
├── CloudError                    a cloud said no, or did not answer
│   ├── CloudUnreachableError     nobody listens at the endpoint
│   ├── NotLoggedInError          no or wrong credentials
│   ├── NotFoundError             the cloud knows no such thing
│   ├── ConflictError             the name (or port) is taken
│   ├── DatabaseVersionError      a newer version of the program has written the cloud's database
│   ├── DamagedContentError       what was pushed is not on the cloud's disk any more as it was
│   ├── StorageFullError          the cloud's disk is full
│   └── InvalidRequestError       a value the cloud will not take
├── ReplicaStartError             a Bento did not start, for its proof or as an instance
├── DeploymentError               a deployment ended in a failed state
├── CallError                     an endpoint refused or failed a call
├── MagicUsageError               a magic or command was given words it does not know
└── WaitTimeoutError              something did not happen in the time given
Interrupted                       a KeyboardInterrupt that says what it stopped; no `Exception`
```

Each carries a `hint`: the next thing to do. In IPython an error of this tree is shown as two or
three lines instead of a traceback (`_render_traceback_`), and still fails the cell, nbclient and
papermill alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

__all__ = [
    "BentoJupyterError",
    "BuildError",
    "CallError",
    "CloudError",
    "CloudUnreachableError",
    "ConflictError",
    "DamagedContentError",
    "DatabaseVersionError",
    "DeploymentError",
    "EnvironmentBuildError",
    "Interrupted",
    "InvalidRequestError",
    "MagicUsageError",
    "NoBuilderError",
    "NotFoundError",
    "NotLoggedInError",
    "NotServableError",
    "ProofError",
    "ReplicaStartError",
    "SampleError",
    "StorageFullError",
    "WaitTimeoutError",
]


class BentoJupyterError(Exception):
    """Base of all errors of this package.

    Args:
        message: What happened and where: the cell, line or name it is about.
        hint: What to do about it; empty when the message says it all.

    Example:
        >>> str(BentoJupyterError("no deployment 'iris'", hint="%bento_list deployments"))
        "no deployment 'iris'"
    """

    #: Set to True (`%config BentoMagics.show_tracebacks = True`) to see whole tracebacks in IPython.
    show_tracebacks = False

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def _render_traceback_(self) -> list[str]:
        """Lines IPython shows instead of a traceback."""
        if self.show_tracebacks:
            import traceback

            return "".join(traceback.format_exception(self)).splitlines()
        lines = [f"{type(self).__name__}: {self.message}"]
        if self.hint:
            lines.append(f"  -> {self.hint}")
        return lines


class BuildError(BentoJupyterError):
    """An object cannot be turned into a Bento."""


class NotServableError(BuildError):
    """No endpoint can be made of the object, or it refers to what cannot be shipped."""


class SampleError(BuildError):
    """The sample does not fit the object."""


class ProofError(BentoJupyterError):
    """The served answer differs from the notebook's, or there was none.

    Args:
        message: Endpoint, case, place and both values; or why there was no answer.
        hint: What to do.
        missing_module: Module that the service imports and its environment does not have; "" = none.
        log: The last lines that the service wrote, with the traceback when it failed.
        proof: The whole comparison; None when there was none.
    """

    def __init__(
        self, message: str, *, hint: str = "", missing_module: str = "", log: str = "", proof: Any = None
    ) -> None:
        super().__init__(message, hint=hint)
        self.missing_module = missing_module
        self.log = log
        self.proof = proof

    def _render_traceback_(self) -> list[str]:
        lines = super()._render_traceback_()
        if self.log and not self.show_tracebacks:
            lines += ["  what the service wrote:", *(f"  | {line}" for line in self.log.splitlines()[-12:])]
        return lines


class EnvironmentBuildError(BentoJupyterError):
    """The locked environment could not be made.

    Args:
        message: What failed.
        hint: What to do.
        log: The whole output of the installer.
    """

    def __init__(self, message: str, *, hint: str = "", log: str = "") -> None:
        super().__init__(message, hint=hint)
        self.log = log


class NoBuilderError(EnvironmentBuildError):
    """No program on the machine of the cloud builds OCI images."""


class CloudError(BentoJupyterError):
    """A cloud said no, or did not answer.

    Args:
        message: What the cloud said.
        hint: What to do.
        status_code: HTTP status of the answer, None when there was none.
    """

    def __init__(self, message: str, *, hint: str = "", status_code: int | None = None) -> None:
        super().__init__(message, hint=hint)
        self.status_code = status_code


class CloudUnreachableError(CloudError):
    """Nobody listens at the cloud's endpoint."""


class NotLoggedInError(CloudError):
    """No credentials for the cloud, or it does not accept them."""


class NotFoundError(CloudError):
    """The cloud knows no such Bento, model or deployment."""


class ConflictError(CloudError):
    """The name is taken, or the thing is in a state that does not allow this."""


class DatabaseVersionError(CloudError):
    """A newer version of the program has written the cloud's database."""


class DamagedContentError(CloudError):
    """What was pushed is not on the cloud's disk any more as it was."""


class StorageFullError(CloudError):
    """The cloud's disk is full; nothing was changed."""


class InvalidRequestError(CloudError):
    """A value that the cloud will not take."""


class DeploymentError(BentoJupyterError):
    """A deployment ended in a failed state.

    Args:
        message: Name, status and reason.
        hint: What to do.
        log: The last lines that its instances (or its image build) wrote.
        cells: The last traceback in terms of the notebook: cells, lines of source, the error; empty where
            that cannot be told.
    """

    def __init__(self, message: str, *, hint: str = "", log: str = "", cells: Sequence[str] = ()) -> None:
        super().__init__(message, hint=hint)
        self.log = log
        self.cells = list(cells)

    def _render_traceback_(self) -> list[str]:
        lines = super()._render_traceback_()
        if self.show_tracebacks:
            return lines
        if self.cells:
            return [*lines, "  in the notebook:", *(f"  | {line}" for line in self.cells)]
        if self.log:
            lines += ["  last lines of its log:", *(f"  | {line}" for line in self.log.splitlines()[-12:])]
        return lines


class ReplicaStartError(BentoJupyterError):
    """A replica did not become ready.

    Args:
        message: What happened, with the last line of the traceback.
        hint: What to do.
        traceback: The whole traceback of the replica; "" when it gave none.
        log: The last lines of its log.
    """

    def __init__(self, message: str, *, hint: str = "", traceback: str = "", log: str = "") -> None:
        super().__init__(message, hint=hint)
        self.traceback = traceback
        self.log = log

    def _render_traceback_(self) -> list[str]:
        lines = super()._render_traceback_()
        detail = self.traceback or self.log
        if detail and not self.show_tracebacks:
            lines += ["  what it wrote:", *(f"  | {line}" for line in detail.splitlines()[-12:])]
        return lines


class CallError(BentoJupyterError):
    """An endpoint refused or failed a call.

    Args:
        message: What the endpoint said.
        hint: What to do.
        status_code: HTTP status of the answer, None when there was none.
        detail: The decoded error body, as far as there is one.
        cells: The traceback of this very request in terms of the notebook; empty where that is not known.
        request_id: Id of the request: of one that reached an instance as its log has it; "" = no answer.
        may_have_run: False where it is certain that the endpoint did not run: calling again does no harm.
    """

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        status_code: int | None = None,
        detail: Any = None,
        cells: Sequence[str] = (),
        request_id: str = "",
        may_have_run: bool = False,
    ) -> None:
        super().__init__(message, hint=hint)
        self.status_code = status_code
        self.detail = detail
        self.request_id = request_id
        self.may_have_run = may_have_run
        self.cells = list(cells)

    def _render_traceback_(self) -> list[str]:
        lines = super()._render_traceback_()
        if self.show_tracebacks:
            return lines
        if self.request_id:
            lines.append(f"  request {self.request_id}")
        if self.cells:
            lines += ["  in the notebook:", *(f"  | {line}" for line in self.cells)]
        return lines


class MagicUsageError(BentoJupyterError):
    """A magic, form or command was given words it does not know."""


class WaitTimeoutError(BentoJupyterError):
    """Something did not happen in the time given."""


class Interrupted(KeyboardInterrupt):
    """The user stopped a verb; shown as a line instead of the traceback of what happened to run.

    Args:
        message: What was stopped, and where.
        hint: What goes on nevertheless, or is left.
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint

    def _render_traceback_(self) -> list[str]:
        return [f"Interrupted: {self}", *([f"  -> {self.hint}"] if self.hint else [])]
