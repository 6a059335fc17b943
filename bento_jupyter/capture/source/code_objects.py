"""What compiled code says about itself: the names it reads and writes, and whether two of them do the same.

Bytecode is the exact answer to "which names are global here": comprehensions, walrus, `match`, `nonlocal`
and class bodies have been sorted out by the compiler already.
"""

from __future__ import annotations
import __future__

import dis
import inspect
from collections.abc import Iterator
from types import CodeType
from typing import Any

__all__ = ["FUTURES", "future_annotations", "reads", "rebinds", "same_code", "span", "walk", "writes"]

#: Flag of `from __future__ import annotations`, which changes how text is compiled.
FUTURES = __future__.annotations.compiler_flag
#: Flags that say nothing about what the code does: `from __future__` imports, being inside a function.
IGNORED = FUTURES | inspect.CO_NESTED
for _name in __future__.all_feature_names:
    IGNORED |= getattr(__future__, _name).compiler_flag
#: Parts of the compiler's preamble; their positions say nothing about the text.
PREAMBLE = {"RESUME", "COPY_FREE_VARS", "MAKE_CELL", "RETURN_GENERATOR", "POP_TOP", "NOP"}
#: Instructions between which the compiler chooses by what else is in the text.
ALIKE = {"LOAD_METHOD": "LOAD_ATTR", "CALL_METHOD": "CALL", "CALL_FUNCTION": "CALL"}
SKIPPED = {"RESUME", "NOP", "PUSH_NULL", "EXTENDED_ARG", "PRECALL", "CACHE"}
#: Scopes that run as soon as the scope around them does.
IMMEDIATE = {"<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>", "__annotate__"}


def walk(code: CodeType) -> Iterator[CodeType]:
    """`code` and all code inside it."""
    yield code
    for const in code.co_consts:
        if isinstance(const, CodeType):
            yield from walk(const)


def future_annotations(code: CodeType) -> bool:
    """Whether it was compiled under `from __future__ import annotations`."""
    return bool(code.co_flags & __future__.annotations.compiler_flag)


def same_code(one: CodeType, other: CodeType, *, lines: bool = False, named: bool = True) -> bool:
    """Whether two pieces of code do the same: instructions, constants with their types, names, arguments.

    Args:
        one: Code.
        other: Code.
        lines: Whether they come from the same text, and begin at the same line: only then are their
            instructions the same to the byte. (A call of `np.mean` is another where `np` is imported
            in the same text.)
        named: Whether they have to go by the same name, too.
    """
    return (
        (not named or one.co_name == other.co_name)
        and (not lines or one.co_firstlineno == other.co_firstlineno)
        and (one.co_code == other.co_code if lines else _steps(one) == _steps(other))
        and one.co_names == other.co_names
        and one.co_varnames == other.co_varnames
        and one.co_freevars == other.co_freevars
        and one.co_cellvars == other.co_cellvars
        and (one.co_argcount, one.co_posonlyargcount, one.co_kwonlyargcount)
        == (other.co_argcount, other.co_posonlyargcount, other.co_kwonlyargcount)
        and one.co_flags & ~IGNORED == other.co_flags & ~IGNORED
        and (not lines or getattr(one, "co_exceptiontable", b"") == getattr(other, "co_exceptiontable", b""))
        and (_same_consts(one, other) if lines else _same_inside(one, other))
    )


def _same_consts(one: CodeType, other: CodeType) -> bool:
    return len(one.co_consts) == len(other.co_consts) and all(
        map(_same_const, one.co_consts, other.co_consts)
    )


def _same_const(one: Any, other: Any) -> bool:
    if isinstance(one, CodeType) and isinstance(other, CodeType):
        return same_code(one, other, lines=True)
    return type(one) is type(other) and _written(one) == _written(other)


def _same_inside(one: CodeType, other: CodeType) -> bool:
    """Whether docstrings and inner code are the same; other constants are compared where they are used."""
    inner = [const for const in one.co_consts if isinstance(const, CodeType)]
    others = [const for const in other.co_consts if isinstance(const, CodeType)]
    return (
        len(inner) == len(others)
        and all(map(same_code, inner, others))
        and _written(_first_text(one)) == _written(_first_text(other))
    )


def _first_text(code: CodeType) -> str | None:
    first = code.co_consts[0] if code.co_consts else None
    return first if isinstance(first, str) else None


def _steps(code: CodeType) -> list[tuple[str, str]]:
    """Instructions as far as they say what is done, not where it is found or how a method is called."""
    found: list[tuple[str, str]] = []
    jumps = {*dis.hasjrel, *dis.hasjabs}
    for instruction in dis.get_instructions(code):
        if instruction.opname in SKIPPED:
            continue
        if instruction.opname == "STORE_NAME" and instruction.argval == "__firstlineno__":  # Python 3.13
            found.pop()
            continue
        name = ALIKE.get(instruction.opname, instruction.opname)
        value = instruction.argval
        if instruction.opcode in jumps or isinstance(value, CodeType):
            value = ""
        found.append((name, _written(value)))
    return found


def _written(value: Any) -> str:
    """A constant as text that tells types apart: `1`, `1.0` and `True`; sets in one order."""
    if isinstance(value, tuple):
        return f"({', '.join(map(_written, value))})"
    if isinstance(value, frozenset):
        return f"{{{', '.join(sorted(map(_written, value)))}}}"
    return repr(value)


def reads(code: CodeType) -> tuple[set[str], set[str]]:
    """Global names that running `code` reads: at once, and only when a function made in it is called.

    Example:
        >>> reads(compile("x = [a for _ in b]; f = lambda: c", "", "exec"))
        ({'a', 'b'}, {'c'}) # doctest: +SKIP
    """
    now: set[str] = set()
    later: set[str] = set()
    stored: set[str] = set()
    immediate = {const for const in code.co_consts if isinstance(const, CodeType) and runs_at_once(const)}
    for instruction in dis.get_instructions(code):
        name, op = instruction.argval, instruction.opname
        if op in ("LOAD_NAME", "LOAD_FROM_DICT_OR_GLOBALS"):
            if name not in stored:
                now.add(name)
        elif op == "LOAD_GLOBAL":
            now.add(name)
        elif op == "STORE_NAME":
            stored.add(name)
    for const in code.co_consts:
        if not isinstance(const, CodeType):
            continue
        inner_now, inner_later = reads(const)
        # At the top of a text, its own names are what functions in it find.
        (now if const in immediate else later).update(inner_now)
        later |= inner_later
    for hidden in ("__classdict__", "__conditional_annotations__"):
        now.discard(hidden)
        later.discard(hidden)
    return now, later


def runs_at_once(code: CodeType) -> bool:
    """Whether the code of an inner scope runs with the scope around it: comprehensions and class bodies."""
    return code.co_name in IMMEDIATE or not code.co_flags & 0x1 or code.co_name.startswith("<generic")


def writes(code: CodeType) -> set[str]:
    """Global names that functions in `code` rebind or delete by a `global` statement."""
    return {
        instruction.argval
        for part in walk(code)
        for instruction in dis.get_instructions(part)
        if instruction.opname in ("STORE_GLOBAL", "DELETE_GLOBAL")
    }


def rebinds(code: CodeType) -> set[str]:
    """Variables of functions around it that `code` rebinds by a `nonlocal` statement."""
    found: set[str] = set()
    for part in walk(code):
        free = set(part.co_freevars)
        found.update(
            instruction.argval
            for instruction in dis.get_instructions(part)
            if instruction.opname in ("STORE_DEREF", "DELETE_DEREF") and instruction.argval in free
        )
    return found & set(code.co_freevars)


def span(code: CodeType) -> tuple[tuple[int, int], tuple[int, int]] | None:
    """Begin and end (line, column in bytes) of the text `code` was compiled from; None = not recorded."""
    positions = getattr(code, "co_positions", None)
    if positions is None:
        return None
    begin: list[tuple[int, int]] = []
    end: list[tuple[int, int]] = []
    by_offset = list(positions())
    for instruction in dis.get_instructions(code):
        line, end_line, column, end_column = by_offset[instruction.offset // 2]
        if instruction.opname in PREAMBLE or None in (line, end_line, column, end_column):
            continue
        if (line, column) == (end_line, end_column):  # an instruction of no text: 3.11's return
            continue
        begin.append((line, column))
        end.append((end_line, end_column))
    return (min(begin), max(end)) if begin else None
