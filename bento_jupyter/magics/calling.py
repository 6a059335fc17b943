"""The magics that call deployments."""

from __future__ import annotations

import ast
import json
import re
from argparse import Namespace
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from IPython.core.magic import Magics, line_cell_magic, line_magic, magics_class, no_var_expand
from IPython.core.magic_arguments import argument, magic_arguments

from ..errors import CallError, MagicUsageError
from .options import cloud_option
from .parsing import evaluate, parse, split_call, split_word, value_options

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

    from ..client.deployment import Deployment

__all__ = ["BentoCallMagics", "show_files"]

#: What looks like an option, not like the beginning of an input.
_OPTION = re.compile(r"--[a-z]")
SNIPPETS = ("curl", "python", "httpx", "requests", "javascript")


@magics_class
class BentoCallMagics(Magics):
    """Call what is deployed.

    `%bento_call iris X_test[:5]`
    """

    @no_var_expand
    @line_cell_magic
    @magic_arguments()
    @cloud_option
    @argument("--timeout", type=float, metavar="SECONDS", help="give up after that; default: 660")
    @argument("--timing", action="store_true", help="show where the time went")
    @argument(
        "--stream", action="store_true", help="show the parts of a stream as they come (it does by itself)"
    )
    @argument("--rows", type=int, metavar="N", help="the input is a table: send N rows at a time")
    @argument(
        "--parallel", type=int, metavar="N", help="call once for each item, N at a time; with --rows: 8"
    )
    @argument(
        "--errors",
        choices=["raise", "return"],
        default="raise",
        help="of --parallel and --rows: what errors do",
    )
    @argument("name", help="name of the deployment")
    @argument("endpoint", nargs="?", help="endpoint; default: the only one, or predict")
    @argument("inputs", nargs="?", help="as in a call: X, k=3; in a cell magic the cell is the JSON body")
    def bento_call(self, line: str, cell: str | None = None) -> Any:
        """Call a deployment: `%bento_call [OPTIONS] NAME [ENDPOINT] INPUTS`; a cell is its JSON body."""
        from .. import workspace

        options, name, rest = _options(self.bento_call, line)
        dep = workspace.called(name, cloud=options.cloud)
        names = _names(dep, rest)
        first, further = split_call(rest)
        endpoint = first if first in names and (further or cell is not None) else ""
        if cell is not None:
            _refuse_unfit(options, "a call with a JSON body", "stream", "rows", "parallel", "errors")
            try:
                body = json.loads(cell)
            except ValueError as error:
                raise CallError(f"the cell is not JSON: {error}") from error
            return _shown(dep, options, lambda: dep.send(endpoint or rest, body, timeout=options.timeout))
        if rest in names and rest not in self.shell.user_ns:
            endpoint, further = rest, ""
        args, kwargs = self._inputs(dep, endpoint, further if endpoint else rest, names)
        if options.timeout is not None:
            kwargs["timeout"] = options.timeout
        return _called(dep, endpoint, args, kwargs, options)

    def _inputs(
        self, dep: Deployment, endpoint: str, text: str, names: list[str]
    ) -> tuple[list[Any], dict[str, Any]]:
        """The values of `text`, which is what would stand between the brackets of a call."""
        if not text and dep.endpoints.route(endpoint).get("input", {}).get("required"):
            raise MagicUsageError(
                "what is the input?", hint=f"%bento_call {dep.name} [{'|'.join(names)}] EXPR"
            )
        source = f"f({text}\n)"
        try:
            call = ast.parse(source, mode="eval").body
        except SyntaxError as error:
            first, further = split_call(text)
            if not endpoint and further and first.isidentifier():
                dep.endpoints.route(first)  # says which ones there are
            raise MagicUsageError(
                f"input: {text!r} is not an expression: {error.msg}", hint=f"endpoints: {', '.join(names)}"
            ) from error
        assert isinstance(call, ast.Call)
        args: list[Any] = []
        kwargs: dict[str, Any] = {}
        for node in call.args:
            starred = isinstance(node, ast.Starred)
            value = self._value(source, node.value if isinstance(node, ast.Starred) else node)
            args += value if starred else [value]
        for keyword in call.keywords:
            value = self._value(source, keyword.value)
            kwargs.update(value if keyword.arg is None else {keyword.arg: value})
        return args, kwargs

    def _value(self, source: str, node: ast.expr) -> Any:
        return evaluate(self.shell, ast.get_source_segment(source, node) or ast.unparse(node), "input")

    @no_var_expand
    @line_magic
    @magic_arguments()
    @argument("name", help="name of the deployment")
    @argument("kind", choices=SNIPPETS, help="language or program")
    @argument("--endpoint", default="", help="endpoint; default: the only one, or predict")
    @argument("--input", default="", metavar="EXPR", help="call it with this; default: an example")
    @cloud_option
    def bento_snippet(self, line: str) -> Any:
        """Code that calls a deployment from elsewhere; the token is an environment variable."""
        from .. import workspace

        arguments = parse(self.bento_snippet, line)
        dep = workspace.called(arguments.name, cloud=arguments.cloud)
        given = [evaluate(self.shell, arguments.input, "--input")] if arguments.input else []
        return dep.snippet(arguments.kind, arguments.endpoint, *given)


def _options(magic: Callable[..., Any], line: str) -> tuple[Namespace, str, str]:
    """The options, which stand anywhere before the input, the name, and the rest as it stands: it is code."""
    valued = value_options(magic)
    words: list[str] = []
    named: list[str] = []  # the deployment, and what may be its endpoint
    rest = line.strip().removesuffix(";").strip()
    while rest:
        word, further = split_word(rest)
        if _OPTION.match(word) or (word.startswith("-") and not named):
            words.append(word)
            if word in valued:
                word, further = split_word(further)
                words.append(word)
        elif not named or (len(named) == 1 and word.isidentifier() and _OPTION.match(further)):
            named.append(word)
        else:
            break
        rest = further
    if not named:
        raise MagicUsageError("which deployment?", hint="%bento_call [OPTIONS] NAME [ENDPOINT] INPUTS")
    options = parse(magic, " ".join([*words, named[0]]))
    return options, options.name, " ".join([*named[1:], *([rest] if rest else [])])


def _refuse_unfit(options: Namespace, kind: str, *unfit: str) -> None:
    """Refuse options that mean nothing for this kind of call."""
    for option in unfit:
        if getattr(options, option) not in (None, False, "raise"):
            raise MagicUsageError(f"--{option} does not apply to {kind}", hint="leave it out")


def _names(dep: Deployment, rest: str) -> list[str]:
    """The names of the endpoints; looked for anew where the line seems to name one that is not known."""
    names = dep.endpoints.names
    first, further = split_call(rest)
    if first.isidentifier() and further and first not in names:
        try:
            ast.parse(f"f({rest}\n)", mode="eval")
        except SyntaxError:
            names = dep.refreshed().names
    return names


def _called(
    dep: Deployment, endpoint: str, args: list[Any], kwargs: dict[str, Any], options: Namespace
) -> Any:
    """Make the call as its endpoint wants it: a stream, a task, many at a time, or just one."""
    from ..display.answers import StreamDisplay

    if options.parallel is not None or options.rows is not None:
        _refuse_unfit(options, "many calls", "stream", "timing")
        if len(args) != 1:
            raise MagicUsageError("--parallel and --rows take one input, whose items are called one by one")
        table = hasattr(args[0], "iloc") or getattr(args[0], "ndim", 0) > 0
        return dep.map(
            endpoint,
            args[0],
            rows=1 if table and options.rows is None else options.rows,
            errors=options.errors,
            timeout=options.timeout,
            **({} if options.parallel is None else {"parallel": options.parallel}),
        )
    _refuse_unfit(options, "one call: it is for --parallel and --rows", "errors")
    route = dep.endpoints.route(endpoint)
    if route.get("output", {}).get("is_stream"):
        value = StreamDisplay(dep.name).show(dep.stream(endpoint, *args, **kwargs))
        _show_timing(dep, options)
        return value
    if options.stream:
        raise CallError(f"endpoint {route['name']!r} does not stream", hint="leave --stream out")
    if route.get("is_task"):
        _refuse_unfit(options, "a task", "timing")
        return _waited(dep, endpoint, args, kwargs, options)
    return _shown(dep, options, lambda: dep.call(endpoint, *args, **kwargs))


def _shown(dep: Deployment, options: Namespace, call: Callable[[], Any]) -> Any:
    """Make a call; while it takes long the cell says why, and in the end where the time went."""
    from ..display.answers import waiting_words
    from ..display.progress import Progress

    progress = Progress(
        f"Calling {dep.name}", ["answer"], after=0.5, look=lambda: waiting_words(dep.status())
    )
    with progress, progress.step("answer"):
        try:
            value = call()
        except BaseException:
            progress.detail("no answer")
            raise
        progress.detail(str(dep.last_timing))
    _show_timing(dep, options)
    return value


def _waited(
    dep: Deployment, endpoint: str, args: list[Any], kwargs: dict[str, Any], options: Namespace
) -> Any:
    """Submit a task and wait for it; it goes on when that is interrupted."""
    from ..display.progress import Progress

    kwargs.pop("timeout", None)
    with Progress(f"Task of {dep.name}", ["submit", "wait"], after=0.5) as progress:
        with progress.step("submit"):
            task = dep.submit(endpoint, *args, **kwargs)
        found = f"dep = bj.deployment({dep.name!r}); dep.task({task.endpoint!r}, {task.id!r}).result()"
        progress.goes_on = f"the task goes on: {found} gets its answer, .cancel() ends it"
        with progress.step("wait"):
            try:
                return task.result(
                    options.timeout, progress=lambda status: progress.detail(_in_words(status))
                )
            except KeyboardInterrupt:
                progress.detail("not waited for any more; the task goes on")
                raise


def _in_words(status: str) -> str:
    return {"pending": "waits for an instance", "in_progress": "is worked on"}.get(status, status)


def _show_timing(dep: Deployment, options: Namespace) -> None:
    if options.timing and dep.last_timing is not None:
        from IPython.display import display

        display(dep.last_timing)


def show_files(shell: InteractiveShell) -> None:
    """Show the files that endpoints answer: images and sounds as such, others by name and size."""

    def bundle(content: Any, **_: Any) -> dict[str, Any]:
        from ..display.answers import file_bundle

        return file_bundle(content, getattr(content, "name", ""))

    def text(content: Any, printer: Any, cycle: bool) -> None:
        printer.text(bundle(content)["text/plain"])

    if shell.display_formatter is not None:
        place = ("bento_jupyter.codec.decoding", "FileContent")
        shell.display_formatter.mimebundle_formatter.for_type_by_name(*place, bundle)
        # Else IPython would write its bytes, as of all that are bytes.
        shell.display_formatter.formatters["text/plain"].for_type_by_name(*place, text)
