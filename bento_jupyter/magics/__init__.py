"""The IPython face: parse a line, make one call of the workspace, return the object it gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell
    from IPython.core.magic import Magics

__all__ = ["classes", "load", "unload"]


def classes() -> tuple[type[Magics], ...]:
    """All magics, by theme."""
    from .building import BentoBuildMagics
    from .calling import BentoCallMagics
    from .clouds import BentoCloudMagics
    from .deploying import BentoDeployMagics
    from .magics import BentoMagics
    from .seeing import BentoSeeMagics

    return (
        BentoMagics,
        BentoBuildMagics,
        BentoDeployMagics,
        BentoSeeMagics,
        BentoCallMagics,
        BentoCloudMagics,
    )


def load(shell: InteractiveShell) -> None:
    """Register the magics, their completion, and the word for one that is written wrong."""
    from .calling import show_files
    from .completion import BentoMatcher
    from .help import Misspelt

    _drop_invalid_settings(shell)
    shell.register_magics(*classes())
    show_files(shell)
    BentoMatcher.install(shell)
    Misspelt.install(shell)


def _drop_invalid_settings(shell: InteractiveShell) -> None:
    """Forget what `%config BentoMagics` was told and no setting can be: the shell keeps that, too."""
    from traitlets import TraitError
    from traitlets.config import Config

    from .magics import BentoMagics

    section = shell.config.get(BentoMagics.__name__, {})
    for name, value in list(section.items()):
        try:
            BentoMagics(config=Config({BentoMagics.__name__: {name: value}}))
        except TraitError:
            del section[name]


def unload(shell: InteractiveShell) -> None:
    """Take all of it away, with the defaults that `%config` has set."""
    from .completion import BentoMatcher
    from .help import Misspelt
    from .parsing import DEFAULTS

    Misspelt.remove(shell)
    BentoMatcher.remove(shell)
    for table in shell.magics_manager.magics.values():
        for name in [name for name in table if name == "bento" or name.startswith("bento_")]:
            del table[name]
    ours = classes()
    shell.configurables[:] = [item for item in shell.configurables if not isinstance(item, ours)]
    for kind in ours:
        shell.magics_manager.registry.pop(kind.__name__, None)
    DEFAULTS.clear()
