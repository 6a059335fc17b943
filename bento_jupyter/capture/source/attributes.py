"""Attributes of objects that anybody may have written: reading one may raise anything."""

from __future__ import annotations

from typing import Any

__all__ = ["attribute", "private_name"]


def attribute(obj: Any, name: str, default: Any = None) -> Any:
    """An attribute of an object; `default` when it has none, or raises whatever it likes when it is asked.

    Example:
        >>> class Settings(dict):
        ...     __getattr__ = dict.__getitem__
        >>> attribute(Settings(), "__wrapped__") is None  # getattr would raise KeyError
        True
    """
    try:
        return getattr(obj, name, default)
    except Exception:  # see above
        return default


def private_name(owner: str, name: str) -> str:
    """The name that an attribute written in the class statement `owner` really has.

    Example:
        >>> private_name("Keeper", "__inner"), private_name("Keeper", "__init__"), private_name("_", "__x")
        ('_Keeper__inner', '__init__', '__x')
    """
    stem = owner.lstrip("_")
    return f"_{stem}{name}" if stem and name.startswith("__") and not name.endswith("__") else name
