"""The Jupyter server extension: what the sidebar asks, and hints about what changed.

Imports neither bentoml nor a user's code; what costs time is imported with the first request.
"""

from __future__ import annotations

from .app import BentoJupyterApp

__all__ = ["BentoJupyterApp"]
