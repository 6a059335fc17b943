"""What all our handlers share: where the cloud is, what a name is, and errors as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import unquote

from jupyter_server.base.handlers import APIHandler
from pydantic import BaseModel, ValidationError

from ..errors import (
    BentoJupyterError,
    CloudError,
    CloudUnreachableError,
    InvalidRequestError,
    NotLoggedInError,
    WaitTimeoutError,
)
from ..spec import DEPLOYMENT_NAME_PATTERN

if TYPE_CHECKING:
    from .app import BentoJupyterApp
    from .link import CloudLink

__all__ = ["BentoHandler", "deployment_name", "link_of", "status_of"]

M = TypeVar("M", bound=BaseModel)

#: A longer list of names is no screenful.
_MOST_NAMES = 100


class BentoHandler(APIHandler):
    """Base of the handlers: where the link is, and errors as `{"message", "hint"}`."""

    auth_resource = "bento_jupyter"

    @property
    def _track_activity(self) -> bool:
        """Looking is polled, so it is no sign of a user at work: it keeps no idle server alive."""
        return self.request.method not in ("GET", "HEAD")

    @property
    def bento(self) -> BentoJupyterApp:
        """The extension."""
        app: BentoJupyterApp = self.settings["bento_jupyter"]
        return app

    @property
    def link(self) -> CloudLink:
        """The connection to the cloud that the query's `cloud` names; without, to the embedded one.

        Where the query is a deployment's own, the header `X-Bento-Cloud` names it.

        Raises:
            NotLoggedInError: Nobody is logged in to it.
        """
        named = unquote(self.request.headers.get("X-Bento-Cloud", ""))
        return link_of(self.bento, named or self.get_query_argument("cloud", ""))

    def reply(self, answer: BaseModel) -> None:
        """Send `answer` as JSON."""
        self.set_header("Cache-Control", "no-store")
        self.finish(answer.model_dump_json(by_alias=True))

    def names(self) -> list[str]:
        """The deployments that the query's `names` says.

        Raises:
            InvalidRequestError: One cannot be a name, or there are too many.
        """
        names = [deployment_name(name) for name in self.get_query_argument("names", "").split(",") if name]
        if len(names) > _MOST_NAMES:
            raise InvalidRequestError(f"at most {_MOST_NAMES} names", status_code=400)
        return names

    def body(self, model: type[M]) -> M:
        """The request's body.

        Raises:
            InvalidRequestError: It is not what `model` says.
        """
        try:
            return model.model_validate_json(self.request.body)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(map(str, first["loc"])) or "the body"
            raise InvalidRequestError(f"{place}: {first['msg']}", status_code=400) from error

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Errors of our tree become JSON with a hint; the rest is Jupyter's."""
        error = (kwargs.get("exc_info") or (None, None, None))[1]
        if not isinstance(error, BentoJupyterError):
            super().write_error(status_code, **kwargs)
            return
        self.set_status(status_of(error))
        self.finish(json.dumps({"message": error.message, "hint": error.hint}))

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        """An error that the user sees in the sidebar is no defect: one quiet line, no traceback."""
        if isinstance(value, BentoJupyterError):
            self.log.debug("bento_jupyter: %s", value.message)
        else:
            super().log_exception(typ, value, tb)


def link_of(app: BentoJupyterApp, context: str) -> CloudLink:
    """The connection to a cloud; "" = the embedded one.

    Raises:
        NotLoggedInError: Nobody is logged in to it: nothing is kept for a name that is none.
    """
    if context:
        from .contexts import address_of

        address_of(context)
    return app.link(context)


def deployment_name(name: str) -> str:
    """`name` as it stood in a URL, if it can be a name.

    Raises:
        InvalidRequestError: It cannot.
    """
    if not DEPLOYMENT_NAME_PATTERN.match(name):
        raise InvalidRequestError(f"{name!r} cannot be the name of a deployment", status_code=400)
    return name


def status_of(error: BentoJupyterError) -> int:
    """The HTTP status that tells a browser of an error."""
    if isinstance(error, CloudUnreachableError):
        return 503
    if isinstance(error, WaitTimeoutError):
        return 504
    # 401 and 403 of the cloud are not the browser's: to Jupyter they would mean "log in again".
    if isinstance(error, NotLoggedInError) or not isinstance(error, CloudError):
        return 502
    code = error.status_code or (400 if isinstance(error, InvalidRequestError) else 502)
    return code if 400 <= code < 500 else 502
