"""How objects are saved, read back and asked, library by library; users `register` their own."""

from __future__ import annotations

from .framework import Framework, is_a, saved
from .objects import pickled
from .places import locate, type_name
from .registry import FRAMEWORKS, ask, framework_of, register

__all__ = [
    "FRAMEWORKS",
    "Framework",
    "ask",
    "framework_of",
    "is_a",
    "locate",
    "pickled",
    "register",
    "saved",
    "type_name",
]
