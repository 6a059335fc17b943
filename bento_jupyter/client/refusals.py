"""Answers other than those that were asked for, as errors with what to do about them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import CallError, WaitTimeoutError

if TYPE_CHECKING:
    import httpx

__all__ = ["broken_off", "refusal", "request_id_of", "too_slow", "unreachable"]

HINTS = {
    400: "the inputs do not fit what the endpoint takes: dep.ENDPOINT? tells",
    401: "this deployment is protected: give a token",
    403: "the token is not for this deployment",
    404: "%bento_status shows the endpoints",
    413: "the request is too large: send fewer rows at a time (--rows N), or a smaller file",
    429: "too many requests wait; try again or raise max instances",
    500: "%bento_logs shows the traceback",
    503: "%bento_status and %bento_logs show why",
    504: "it took longer than the deployment's timeout",
}


def request_id_of(response: httpx.Response) -> str:
    """Id of a request, as the logs have it; "" when the answer does not say."""
    return str(response.headers.get("x-request-id", ""))


def refusal(url: str, name: str, response: httpx.Response) -> CallError:
    """The error for an answer other than 200, with what the endpoint said."""
    try:
        detail = response.json()
    except ValueError:
        detail = response.text
    hint = str(detail.get("hint") or "") if isinstance(detail, dict) else ""
    return CallError(
        f"{name} at {url} answered {response.status_code}: {said(detail)}",
        hint=hint or HINTS.get(response.status_code, ""),
        status_code=response.status_code,
        detail=detail,
        request_id=request_id_of(response),
    )


def said(detail: Any) -> str:
    """The message in an error body, in one line: scikit-learn goes on for paragraphs; `detail` has it all."""
    if isinstance(detail, list):
        return "; ".join(said(item) for item in detail)
    if not isinstance(detail, dict):
        return next(iter(str(detail).splitlines()), "")
    if "msg" in detail:  # of pydantic
        place = ".".join(map(str, detail.get("loc", [])))
        return f"{place and place + ': '}{detail['msg'].removeprefix('Value error, ')}"
    if isinstance(detail.get("detail"), list):
        return said(detail["detail"])
    return said(detail.get("error") or detail.get("message") or detail.get("detail") or str(detail))


def unreachable(url: str, error: Exception) -> CallError:
    """The error for no answer at all."""
    return CallError(f"no answer from {url}: {error}", hint="%bento_status shows how the deployment is")


def too_slow(what: str, seconds: float) -> WaitTimeoutError:
    """The error for an answer that did not come in time."""
    return WaitTimeoutError(
        f"{what} did not answer within {seconds:g} s",
        hint="timeout=SECONDS (--timeout) waits longer; a cold start may be held for minutes",
    )


def broken_off(url: str, name: str, parts: int | None, response: httpx.Response | None = None) -> CallError:
    """The error for an answer that ended before its end.

    Args:
        url: Base URL of the deployment.
        name: The endpoint.
        parts: How many parts of a stream had come; None = it is no stream.
        response: The answer, as far as there is one.
    """
    after = "" if parts is None else f" after {parts} part{'' if parts == 1 else 's'}"
    return CallError(
        f"the answer of {name} at {url} broke off{after}: its code raised midway, or its instance ended",
        hint="%bento_logs shows the traceback",
        status_code=200,
        request_id="" if response is None else request_id_of(response),
    )
