"""Options that several magics share."""

from __future__ import annotations

from typing import Any

from IPython.core.magic_arguments import argument

__all__ = ["cloud_option"]


def cloud_option(function: Any) -> Any:
    """`--cloud NAME` of each magic that asks a cloud."""
    return argument(
        "--cloud", metavar="NAME", help="context of the cloud to use, or 'embedded'; default: the current one"
    )(function)
