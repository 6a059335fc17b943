"""The magics that build: each parses its line, makes one call of the workspace, and returns the object."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import Any

from IPython.core.magic import Magics, cell_magic, line_magic, magics_class, no_var_expand
from IPython.core.magic_arguments import argument, magic_arguments

from ..errors import MagicUsageError
from .options import cloud_option
from .parsing import evaluate, parse

__all__ = ["BentoBuildMagics", "bento_of"]


def build_options(function: Any) -> Any:
    """Options of `%bento_build`, the words of `bento_jupyter.build`."""
    options = [
        argument("--sample", metavar="EXPR", help="input like those that will come; see bento_jupyter.build"),
        argument(
            "--endpoint", action="append", metavar="METHOD", help="serve this method only (may be repeated)"
        ),
        argument(
            "--no-prove", action="store_true", help="do not compare the Bento's answers with the object's"
        ),
        argument("--allow-different", action="store_true", help="keep it when its answers differ"),
    ]
    for option in reversed(options):
        function = option(function)
    return function


def bento_of(shell: Any, word: str) -> Any:
    """A built Bento of the namespace, or a tag."""
    from .. import workspace

    value = shell.user_ns.get(word)
    return value if isinstance(value, workspace.BuiltBento) else word


@magics_class
class BentoBuildMagics(Magics):
    """Build Bentos from objects of the notebook, prove them, take their projects along.

    `%bento_build iris clf --sample X_test[:5]`
    """

    @no_var_expand
    @line_magic
    @magic_arguments()
    @argument("name", help="name of the Bento")
    @argument(
        "object", nargs="+", help="a fitted model, function, object or class; a function and what goes along"
    )
    @build_options
    @argument("--plan", action="store_true", help="only show what would go in and why, and what is refused")
    def bento_build(self, line: str) -> Any:
        """Build a Bento from objects of the notebook, and prove that it answers as they do."""
        return self._built(parse(self.bento_build, line))

    @no_var_expand
    @cell_magic
    @magic_arguments()
    @argument("name", help="name of the Bento")
    @build_options
    @argument("--plan", action="store_true", help="only show what would go in and why, and what is refused")
    def bento_service(self, line: str, cell: str) -> Any:
        """Run the cell, and build a Bento from the `@bentoml.service` class that it defines last."""
        arguments = parse(self.bento_service, line)
        before = {key: id(value) for key, value in self.shell.user_ns.items()}
        self.shell.run_cell(cell, store_history=False).raise_error()
        names = [key for key, value in self.shell.user_ns.items() if before.get(key) != id(value)]
        services = [
            key for key in names if hasattr(self.shell.user_ns[key], "apis") and not key.startswith("_")
        ]
        if not services:
            raise MagicUsageError(
                "the cell defines no service",
                hint="decorate a class with @bentoml.service, a method with @bentoml.api",
            )
        arguments.object = services[-1:]
        return self._built(arguments)

    def _built(self, arguments: Namespace) -> Any:
        from .. import workspace

        names = arguments.object
        sample = arguments.sample
        options: dict[str, Any] = {
            "sample": None if sample is None else evaluate(self.shell, sample, "--sample"),
            "endpoints": arguments.endpoint,
            "allow_different": arguments.allow_different,
        }
        objects = [self._object(name) for name in names]
        obj = objects[0] if len(objects) == 1 else objects
        if arguments.plan:
            return workspace.plan(arguments.name, obj, **options)
        return workspace.build(arguments.name, obj, prove=not arguments.no_prove, **options)

    def _object(self, word: str) -> Any:
        """An object of the notebook; or the path of a project or service file."""
        if word not in self.shell.user_ns and ("/" in word or word.endswith(".py")) and Path(word).exists():
            return Path(word)
        return evaluate(self.shell, word, "object")

    @no_var_expand
    @line_magic
    @magic_arguments()
    @argument("bento", help="tag of a Bento of the local store, or a built Bento; with --live a deployment")
    @argument("--live", action="store_true", help="ask the deployment of this name instead")
    @cloud_option
    def bento_prove(self, line: str) -> Any:
        """Run a Bento in its own environment and compare its answers with those of the notebook's object."""
        from .. import workspace

        arguments = parse(self.bento_prove, line)
        if arguments.live:
            return workspace.prove(arguments.bento, live=True, cloud=arguments.cloud)
        return workspace.prove(bento_of(self.shell, arguments.bento))

    @no_var_expand
    @line_magic
    @magic_arguments()
    @argument("bento", help="tag of a Bento of the local store, or a built Bento")
    @argument("directory", help="a new folder")
    def bento_export(self, line: str) -> Any:
        """Write the readable project of a Bento into a folder; `bentoml build` builds it from there."""
        from .. import workspace
        from ..display.tables import Note

        arguments = parse(self.bento_export, line)
        folder = workspace.export(bento_of(self.shell, arguments.bento), arguments.directory)
        return Note(f"the project is in {folder}")

    @no_var_expand
    @line_magic
    @magic_arguments()
    @argument("bento", help="tag of a Bento of the local store, or a built Bento")
    @cloud_option
    def bento_push(self, line: str) -> Any:
        """Send a Bento with its models to the cloud."""
        from .. import workspace

        arguments = parse(self.bento_push, line)
        return workspace.push(bento_of(self.shell, arguments.bento), cloud=arguments.cloud)
