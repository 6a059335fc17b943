"""What the `bentoml` client says while it sends, as words for whoever listens."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from typing import Any

__all__ = ["quiet_spinner"]


def quiet_spinner(progress: Callable[[str], None] | None) -> Any:
    """The client's spinner without its console: in a notebook it would write into the cell's output."""
    from bentoml._internal.cloud.base import Spinner
    from rich.console import Console

    class Quiet(Spinner):  # type: ignore[misc]
        def log(self, *args: Any, **_: Any) -> None:
            if progress is not None:
                progress(re.sub(r"\[/?[^\]]*\]|:\w+:", "", str(args[0])).strip())

    return Quiet(console=Console(file=io.StringIO(), force_terminal=False, force_jupyter=False))
