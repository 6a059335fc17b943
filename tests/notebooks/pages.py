"""A front end without a browser: cells that have ids, widgets typed into and clicked, signs answered."""

from __future__ import annotations

import queue
import time
from collections.abc import Sequence
from typing import Any

from kernels import Kernel

__all__ = ["Page"]


class Page:
    """A page with a kernel, as far as the messages between them go.

    Args:
        kernel: The kernel.
        subshell: What is run aside goes to a subshell, and so do the messages of its widgets.

    Attributes:
        heard: The contents of all that the kernel has published since.
    """

    def __init__(self, kernel: Kernel, *, subshell: bool = False) -> None:
        self._client = kernel.client
        self.heard: list[dict[str, Any]] = []
        self._ended: dict[str, str] = {}
        self._texts: dict[str, str] = {}
        self._signs: dict[str, str] = {}
        self._subshell: str | None = None
        if subshell:
            message = self._client.session.msg("create_subshell_request", {})
            self._client.control_channel.send(message)
            reply = self._client.get_control_msg(timeout=30)
            self._subshell = reply["content"]["subshell_id"]

    def begin(self, code: str, *, cell: str = "", deleted: Sequence[str] = (), aside: bool = False) -> str:
        """Begin to run a cell; returns what `end` knows the run by.

        Args:
            code: Of the cell.
            cell: Its id; "" = the front end sends none.
            deleted: Ids of cells that were deleted since the last run.
            aside: In the subshell, if there is one.
        """
        content = {"code": code, "silent": False, "store_history": True, "allow_stdin": False}
        metadata = {"cellId": cell, "deletedCells": list(deleted)} if cell else {}
        message = self._client.session.msg("execute_request", content, metadata=metadata)
        if aside and self._subshell is not None:
            message["header"]["subshell_id"] = self._subshell
        self._client.shell_channel.send(message)
        return str(message["header"]["msg_id"])

    def end(self, run: str, seconds: float = 60) -> str:
        """Wait for the end of a cell, with all that a page does meanwhile; returns what it printed.

        Raises:
            AssertionError: It failed, or does not end.
        """
        deadline = time.monotonic() + seconds
        while run not in self._ended:
            assert time.monotonic() < deadline, "the cell does not end"
            self._hear()
        assert not self._ended[run], self._ended[run]
        return self._texts.get(run, "").strip()

    def run(self, code: str, **options: Any) -> str:
        """Run a cell, with the options of `begin`; returns what it printed."""
        return self.end(self.begin(code, **options))

    def models(self, *widgets: str) -> list[str]:
        """Ids of the models of widgets that are given as expressions."""
        return self.run(f"print({', '.join(f'{each}.model_id' for each in widgets)})").split()

    def show(self, form: str) -> None:
        """Answer the signs that a form asks for, as the link between its two widgets does in a browser."""
        asked, answered = self.models(f"{form}.front_end._asked", f"{form}.front_end._answered")
        self._signs[asked] = answered

    def type(self, model: str, value: Any) -> None:
        """Enter a value."""
        self._send(model, {"method": "update", "state": {"value": value}})

    def click(self, model: str) -> None:
        """Click a button."""
        self._send(model, {"method": "custom", "content": {"event": "click"}})

    def _send(self, model: str, data: dict[str, Any]) -> None:
        content = {"comm_id": model, "data": {"buffer_paths": [], **data}}
        message = self._client.session.msg("comm_msg", content)
        if self._subshell is not None:
            message["header"]["subshell_id"] = self._subshell
        self._client.shell_channel.send(message)

    def _hear(self) -> None:
        try:
            message = self._client.get_iopub_msg(timeout=0.5)
        except queue.Empty:
            return
        kind, content = message["msg_type"], message["content"]
        run = message["parent_header"].get("msg_id", "")
        self.heard.append(content)
        if kind == "stream":
            self._texts[run] = self._texts.get(run, "") + content["text"]
        elif kind == "error":
            self._ended[run] = "\n".join(content["traceback"])
        elif kind == "status" and content["execution_state"] == "idle":
            self._ended.setdefault(run, "")
        elif kind == "comm_msg" and content["comm_id"] in self._signs:
            value = content["data"].get("state", {}).get("value")
            if value is not None:
                self.type(self._signs[content["comm_id"]], value)
