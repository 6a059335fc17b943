"""The form that logs in: a cloud that is known, or an endpoint with a token that no notebook ever holds."""

from __future__ import annotations

from urllib.parse import urlsplit

import ipywidgets

from .. import workspace
from ..client import contexts, embedded
from ..client.addresses import checked_endpoint, checked_token
from ..client.cloud import Cloud
from ..errors import InvalidRequestError
from ..quoting import quoted
from . import fields
from .choices import Choice
from .code import code_html
from .form import Form
from .given import Secret

__all__ = ["LoginForm"]


class LoginForm(Form):
    """Connects to a cloud.

    Attributes:
        cloud: The cloud; None until it is connected.
    """

    def __init__(self) -> None:
        super().__init__("Log in", "login", "%bento_login ENDPOINT")
        self.cloud: Cloud | None = None
        known = [name for name in contexts.names() if name != embedded.CONTEXT_NAME]
        self.which = Choice(
            "Cloud",
            [
                ("on this machine (embedded)", embedded.CONTEXT_NAME),
                *((f"{name}: {contexts.get(name).endpoint}", name) for name in known),
                ("another", ""),
            ],
            few=0,
        )
        self.endpoint = fields.Text("Endpoint", placeholder="e.g. https://cloud.bentoml.com")
        self.token = Secret("API token", tip="kept in the kernel; never in the notebook")
        self.submit = self.button(
            "Log in", self._log_in, button_style="primary", tooltip="Connect to the cloud"
        )
        self.widget.children = (
            self.which.box,
            self.endpoint.box,
            self.token.box,
            ipywidgets.HBox([self.submit]),
            self.message,
            self.result,
            self.code,
        )
        for field in (self.which, self.endpoint, self.token):
            field.watch(lambda: self.guarded(self.refresh))
        self.refresh()

    @property
    def line(self) -> str:
        """The magic line that does the same; it asks for the token itself."""
        if self.which.value == embedded.CONTEXT_NAME:
            return "%bento_login"
        if self.which.value:
            return f"%bento_login --context {quoted(self.which.value)}"
        return f"%bento_login {quoted(self.address)}" if self.address else ""

    @property
    def call(self) -> str:
        """The Python call that does the same; where a token is typed, it asks for it."""
        if self.which.value == embedded.CONTEXT_NAME:
            return "bj.connect()"
        if self.which.value:
            return f"bj.connect(context={self.which.value!r})"
        if not self.address:
            return ""
        if not self.token.value:
            return f"bj.connect({self.address!r})"
        name = urlsplit(self.address).netloc
        call = f"bj.connect({self.address!r}, token=getpass('API token: '), context={name!r})"
        return f"from getpass import getpass\n{call}"

    @property
    def address(self) -> str:
        """The endpoint, as it is used; "" while it is none."""
        try:
            return checked_endpoint(self.endpoint.value)
        except InvalidRequestError:
            return ""

    def refresh(self) -> None:
        """Show what follows from the values."""
        with self._lock:
            another = not self.which.value
            for field in (self.endpoint, self.token):
                field.box.layout.display = "" if another else "none"
            self.endpoint.problem = self.token.problem = ""
            for field, check in ((self.endpoint, checked_endpoint), (self.token, checked_token)):
                try:
                    check(field.value if another else "")
                except InvalidRequestError as error:
                    field.problem = error.message if field.value else ""
            sound = bool(self.address) and self.token.is_sound
            self.submit.disabled = self.busy or (another and not sound)
            self.code.value = code_html([("The same as a line", self.line), ("in Python", self.call)])

    def rows(self) -> list[tuple[str, str]]:
        """What a saved notebook says of it."""
        connected = repr(self.cloud) if self.cloud else ""
        return [("connected to", connected), ("as a line", self.line), ("in Python", self.call)]

    def _log_in(self) -> None:
        token, chosen = self.token.value, self.which.value
        if chosen == embedded.CONTEXT_NAME:
            self.cloud = workspace.connect()
        elif chosen:
            self.cloud = workspace.connect(context=chosen)
        else:
            # One that was typed is kept, as the magic keeps it: nobody types it twice.
            name = urlsplit(self.address).netloc if token else None
            self.cloud = workspace.connect(self.address, token=token or None, context=name)
        self.token.forget()
        self.result.value = fields.note(f"✓ connected to {self.cloud.name} at {self.cloud.endpoint}")
