"""Code of the notebook as readable source: what was executed, with all that it reads."""

from __future__ import annotations

from .closure import CodeCapture
from .patches import library_changes
from .secrets import looks_secret

__all__ = ["CodeCapture", "library_changes", "looks_secret"]
