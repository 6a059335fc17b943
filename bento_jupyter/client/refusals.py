"""Answers other than those that were asked for, as errors with what to do about them."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from ..errors import (
    CallError,
    CloudError,
    ConflictError,
    InvalidRequestError,
    NotFoundError,
    NotLoggedInError,
    StorageFullError,
    WaitTimeoutError,
)

if TYPE_CHECKING:
    import httpx

__all__ = [
    "broken_off",
    "cloud_refusal",
    "may_have_run",
    "moved_on",
    "raised_midway",
    "refusal",
    "request_id_of",
    "too_slow",
    "unreachable",
]

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


#: What a gateway, or the service before it looks for the endpoint, answers by itself.
NOT_RUN = frozenset({400, 401, 403, 404, 405, 413, 415, 422, 429, 503})
#: BentoML's words for inputs that do not fit the signature.
_NO_FIT = re.compile(r"\d+ validation errors? for Input")


def request_id_of(response: httpx.Response) -> str:
    """Id of a request: what the service's log calls its `span`, else that of the gateway; "" = none."""
    return str(response.headers.get("x-bentoml-request-id") or response.headers.get("x-request-id", ""))


def may_have_run(response: httpx.Response) -> bool:
    """May the endpoint have run for this answer? No means that the request can be sent again.

    BentoML names the request in each answer that an endpoint had a part in, also when it refuses the inputs
    itself, which it then says. What has no such name was refused on the way.
    """
    if "x-bentoml-request-id" not in response.headers:
        # That a task has failed is told to those who ask for its result.
        return response.status_code not in NOT_RUN or response.request.method != "POST"
    if response.status_code != 400:
        return True
    try:
        detail = response.json()
    except ValueError:
        return True
    return not (isinstance(detail, dict) and _NO_FIT.fullmatch(str(detail.get("error", ""))))


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
        may_have_run=may_have_run(response),
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
    import httpx

    return CallError(
        f"no answer from {url}: {error}",
        hint="%bento_status shows how the deployment is",
        may_have_run=not isinstance(error, httpx.ConnectError),
    )


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
        may_have_run=True,
    )


def raised_midway(name: str, raised: str, trace: list[str], request_id: str) -> CallError:
    """The error for a stream that BentoML ended as if all were well when its generator had raised.

    Args:
        name: The endpoint.
        raised: The line of its error; "" = not known.
        trace: The traceback.
        request_id: Id of the request.
    """
    return CallError(
        f"the stream of {name!r} broke off midway: {raised or 'its code raised'}",
        hint="%bento_logs shows the traceback",
        status_code=200,
        detail="\n".join(trace),
        request_id=request_id,
        may_have_run=True,
    )


def moved_on(name: str, version: str, response: httpx.Response) -> CallError:
    """The error for an answer of a version that would have been sent something else.

    Args:
        name: The endpoint.
        version: Tag of the Bento that answered.
        response: Its answer.
    """
    return CallError(
        f"{name} was answered by {version}, which is newly deployed and takes its inputs in another form",
        hint="call again: this version is known now; it has run once with the form of the one before",
        status_code=response.status_code,
        request_id=request_id_of(response),
        may_have_run=True,
    )


def cloud_refusal(cloud: str, what: str, code: int, text: str) -> CloudError:
    """The error of our tree for a status code; `text` may hold the JSON body the cloud sent."""
    message, hint = text, ""
    if found := re.search(r"\{.*\}", text, re.DOTALL):
        try:
            body = json.loads(found.group())
            message = body.get("message") or body.get("error") or text
            hint = body.get("hint") or ""
        except ValueError:
            pass
    if code == 401:
        return NotLoggedInError(
            f"{cloud} does not accept the token", hint=hint or "%bento_login", status_code=code
        )
    if code == 404:
        return NotFoundError(
            f"{cloud} has no {what}", hint=hint or "%bento_list shows what there is", status_code=404
        )
    kinds = {
        409: ConflictError,
        400: InvalidRequestError,
        422: InvalidRequestError,
        507: StorageFullError,
    }
    return kinds.get(code, CloudError)(f"{what}: {message}", hint=hint, status_code=code)
