"""What the gateway answers by itself: short JSON that says what happened and what to do about it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

__all__ = [
    "Answer",
    "alive",
    "bad_gateway",
    "bad_request",
    "body_too_large",
    "cold_start_timeout",
    "deployment_closed",
    "foreign_host",
    "framed",
    "json_answer",
    "no_metrics",
    "queue_full",
    "request_timeout",
    "task_error",
    "tasks_not_kept",
    "unauthorized",
]


@dataclass(frozen=True)
class Answer:
    """A whole response.

    Attributes:
        status: Status code.
        error: What happened; empty for an answer without JSON.
        hint: What to do; may be empty.
        fields: More header fields.
        body: Its content, instead of one that tells of an error; None = `error` says it.
        media_type: What that content is.
    """

    status: int
    error: str = ""
    hint: str = ""
    fields: tuple[tuple[str, str], ...] = ()
    body: bytes | None = None
    media_type: str = "application/json"

    def parts(self) -> tuple[bytes, bytes]:
        """Its head without what frames it (status line and fields, with their line ends), and its content."""
        media_type = self.media_type
        if self.body is not None:
            content = self.body
        elif self.error:
            told = {"error": self.error, "hint": self.hint} if self.hint else {"error": self.error}
            content = json.dumps(told, ensure_ascii=False).encode() + b"\n"
        else:
            content, media_type = b"\n", "text/plain; charset=utf-8"
        lines = [
            f"HTTP/1.1 {self.status} {HTTPStatus(self.status).phrase}",
            f"Content-Type: {media_type}",
            *(f"{name}: {value}" for name, value in self.fields),
        ]
        return "\r\n".join(lines).encode("latin-1") + b"\r\n", content

    def encode(
        self, *, close: bool, keep_alive_said: bool = False, head_only: bool = False, extra: bytes = b""
    ) -> bytes:
        """The bytes of it.

        Args:
            close: Say that the connection ends with this answer.
            keep_alive_said: Say that the connection is kept (HTTP/1.0 callers need to hear it).
            head_only: Leave the body out, as the answer to HEAD does.
            extra: More header fields, each with its line end.
        """
        head, content = self.parts()
        whole = framed(head, content, close=close, keep_alive_said=keep_alive_said, extra=extra)
        return whole[: len(whole) - len(content)] if head_only else whole


def framed(
    head: bytes, content: bytes, *, close: bool, keep_alive_said: bool = False, extra: bytes = b""
) -> bytes:
    """A response with a length.

    Args:
        head: Status line and fields, each with its line end.
        content: What it says.
        close: Say that the connection ends with this answer.
        keep_alive_said: Say that the connection is kept (HTTP/1.0 callers need to hear it).
        extra: More header fields, each with its line end.
    """
    connection = (
        b"Connection: close\r\n" if close else b"Connection: keep-alive\r\n" if keep_alive_said else b""
    )
    return b"%bContent-Length: %d\r\n%b%b\r\n%b" % (head, len(content), connection, extra, content)


def json_answer(status: int, content: Mapping[str, object]) -> Answer:
    """An answer as BentoML gives it."""
    return Answer(status, body=json.dumps(content, separators=(",", ":")).encode())


def alive() -> Answer:
    """The deployment's listener lives, though no replica does: what `/livez` asks."""
    return Answer(200)


def no_metrics() -> Answer:
    """What `/metrics` says while there is no instance that has any."""
    return Answer(
        200, body=b"# no instance is running\n", media_type="text/plain; version=0.0.4; charset=utf-8"
    )


def bad_request(status: int, what: str) -> Answer:
    """The caller does not speak HTTP/1.1 as this gateway takes it."""
    return Answer(status, f"bad request: {what}")


def unauthorized(deployment: str) -> Answer:
    """The deployment is protected, and the request carried no token that it accepts."""
    return Answer(
        401,
        f"deployment {deployment!r} is protected: no valid token was sent",
        hint="send `Authorization: Bearer TOKEN`; `bento-jupyter cloud status` says where the owner's is",
        fields=(("WWW-Authenticate", "Bearer"),),
    )


def foreign_host(deployment: str) -> Answer:
    """The request came under a name that is not known to be this machine's."""
    return Answer(
        403,
        f"deployment {deployment!r} is not called by this name",
        hint="call it by address, protect it, or start the cloud with BENTO_JUPYTER_PUBLIC_HOSTS=<name>",
    )


def queue_full(deployment: str, capacity: int) -> Answer:
    """As many requests wait as may."""
    return Answer(
        429,
        f"{capacity} requests wait for deployment {deployment!r} already",
        hint="try again in a moment, or raise the deployment's max instances or concurrency",
        fields=(("Retry-After", "1"),),
    )


def cold_start_timeout(deployment: str, seconds: float, *, has_replica: bool) -> Answer:
    """The request waited for a free slot for as long as it may."""
    if has_replica:
        what = f"all instances of deployment {deployment!r} were busy for {seconds:g} s"
        hint = "try again, or raise the deployment's max instances or concurrency"
    else:
        what = f"no instance of deployment {deployment!r} started within {seconds:g} s"
        hint = "see the deployment's status and logs; a larger cold_start_timeout waits longer"
    return Answer(503, what, hint=hint, fields=(("Retry-After", "5"),))


def deployment_closed(deployment: str, reason: str) -> Answer:
    """The control plane has closed the deployment."""
    return Answer(
        503,
        f"deployment {deployment!r} takes no requests: {reason}",
        fields=(("Retry-After", "30"),),
    )


def request_timeout(deployment: str, seconds: float) -> Answer:
    """A replica had the request for as long as it may and did not begin to answer."""
    return Answer(
        504,
        f"deployment {deployment!r} did not answer within {seconds:g} s",
        hint="a larger `timeout` of the deployment allows longer requests",
    )


def bad_gateway(deployment: str, what: str) -> Answer:
    """No replica gave an answer that could be passed on."""
    return Answer(502, f"deployment {deployment!r}: {what}", hint="see the deployment's logs")


def body_too_large(limit: int) -> Answer:
    """A task's input is larger than the cloud keeps."""
    return Answer(
        413, f"the input of a task may have {limit} bytes", hint="pass large data by a URL or a path"
    )


def task_error(status: int, what: str) -> Answer:
    """What is asked of a task cannot be; in BentoML's words where it has some."""
    return json_answer(status, {"error": what})


def tasks_not_kept(reason: str) -> Answer:
    """The file that tasks are kept in cannot be used."""
    return Answer(507, f"tasks cannot be kept: {reason}", hint="see the disk of the cloud's home")
