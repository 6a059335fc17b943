"""The IPython face: parse a line, make one call of the workspace, return the object it gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

__all__ = ["load", "unload"]


def load(shell: InteractiveShell) -> None:
    """Register the magics and their completion."""
    from .building import BentoBuildMagics
    from .calling import BentoCallMagics, show_files
    from .clouds import BentoCloudMagics
    from .completion import BentoMatcher
    from .deploying import BentoDeployMagics
    from .magics import BentoMagics
    from .seeing import BentoSeeMagics

    shell.register_magics(
        BentoMagics, BentoBuildMagics, BentoDeployMagics, BentoSeeMagics, BentoCallMagics, BentoCloudMagics
    )
    show_files(shell)
    BentoMatcher.install(shell)


def unload(shell: InteractiveShell) -> None:
    """Take the magics and their completion away."""
    from .completion import BentoMatcher

    BentoMatcher.remove(shell)
    for kind in ("line", "cell"):
        table = shell.magics_manager.magics[kind]
        for name in [name for name in table if name.startswith("bento_")]:
            del table[name]
