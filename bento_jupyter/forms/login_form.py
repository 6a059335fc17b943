"""The form that logs in: a cloud that is known, or an endpoint with a token that no notebook ever holds."""

from __future__ import annotations

import ipywidgets

from .. import workspace
from ..client import contexts, embedded
from ..client.cloud import Cloud
from . import fields
from .form import Form, code_html

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
        self.which = fields.Choice(
            "Cloud",
            [
                ("on this machine (embedded)", embedded.CONTEXT_NAME),
                *((f"{name}: {contexts.get(name).endpoint}", name) for name in known),
                ("another", ""),
            ],
            few=0,
        )
        self.endpoint = fields.Text("Endpoint", placeholder="e.g. https://cloud.bentoml.com")
        self.token = fields.Secret("API token", tip="kept in the kernel; never in the notebook")
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
            return f"%bento_login --context {self.which.value}"
        return f"%bento_login {self.endpoint.value.strip()}" if self.endpoint.value.strip() else ""

    def refresh(self) -> None:
        """Show what follows from the values."""
        with self._lock:
            another = not self.which.value
            for field in (self.endpoint, self.token):
                field.box.layout.display = "" if another else "none"
            typed = self.endpoint.value.strip()
            wrong = another and typed and not typed.startswith(("http://", "https://"))
            self.endpoint.problem = "an address begins with https:// or http://" if wrong else ""
            self.submit.disabled = self.busy or bool(wrong) or (another and not typed)
            self.code.value = code_html([("The same as a line", self.line)])

    def rows(self) -> list[tuple[str, str]]:
        """What a saved notebook says of it."""
        return [("connected to", repr(self.cloud) if self.cloud else ""), ("as a line", self.line)]

    def _log_in(self) -> None:
        token, chosen = self.token.value, self.which.value
        if chosen == embedded.CONTEXT_NAME:
            self.cloud = workspace.connect()
        elif chosen:
            self.cloud = workspace.connect(context=chosen)
        else:
            self.cloud = workspace.connect(self.endpoint.value.strip(), token=token or None)
        self.token.forget()
        self.result.value = fields.note(f"✓ connected to {self.cloud.name} at {self.cloud.endpoint}")
