"""Writes `src/payloads.ts`: the payloads of the server extension as TypeScript types with readers.

    python labextension/generate_payloads.py          # write it
    python labextension/generate_payloads.py --check  # exit 1 when it is not up to date

It goes by the JSON schema of the pydantic models, so both ends of the wire say the same; a test checks that.
Words of enumerations are plain strings, as a newer cloud may have more of them, but for the modes and for
what is written out as a literal.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from bento_jupyter.server import payloads
from bento_jupyter.server.hints import Hint
from bento_jupyter.server.reading import READINGS

__all__ = ["TARGET", "generated"]

TARGET = Path(__file__).parent / "src" / "payloads.ts"

#: What is sent and not received: types only.
SENT = (
    payloads.Change,
    payloads.Rollback,
    payloads.Wanted,
    payloads.Push,
    payloads.Export,
    payloads.Login,
    payloads.Start,
)
RECEIVED: tuple[type[BaseModel], ...] = tuple(
    dict.fromkeys(
        [
            payloads.Overview,
            payloads.Changes,
            payloads.Traffic,
            payloads.Bentos,
            payloads.Contexts,
            payloads.ContextStates,
            payloads.Job,
            payloads.Configuration,
            payloads.Form,
            payloads.Interface,
            payloads.Plan,
            payloads.Refusal,
            payloads.Done,
            Hint,
            *(reading.answer for reading in READINGS),
        ]
    )
)
CLOSED = ("Mode",)
HEAD = """/**
 * What the server extension sends and takes. Generated from its models by
 * `generate_payloads.py`; do not edit.
 */
import {
  Reader,
  anything,
  entries,
  flag,
  list,
  number,
  object,
  optional,
  text,
  time,
  word
} from './readers';
"""
PLAIN = {"integer": "number", "number": "number", "string": "string", "boolean": "boolean"}
READERS = {"integer": "number", "number": "number", "string": "text", "boolean": "flag"}


def generated() -> str:
    """The text of `payloads.ts`."""
    _, schema = models_json_schema([(model, "serialization") for model in RECEIVED])
    _, sent = models_json_schema([(model, "validation") for model in SENT])
    definitions: dict[str, Any] = schema["$defs"]
    names = _ordered(definitions)
    parts = [HEAD]
    parts += [_interface(name, definitions[name], definitions) for name in names]
    for model in SENT:
        definition = sent["$defs"][model.__name__]
        parts.append(_interface(model.__name__, definition, sent["$defs"], sent=True))
    parts += [_reader(name, definitions[name], definitions) for name in names]
    return "\n".join(parts)


def _ordered(definitions: dict[str, Any]) -> list[str]:
    """Names of objects, each after those that it is made of: a reader has to exist before it is used."""
    done: list[str] = []

    def visit(name: str) -> None:
        if name in done or ("properties" not in definitions[name] and "enum" in definitions[name]):
            return
        for used in re.findall(r"#/\$defs/(\w+)", str(definitions[name])):
            if used != name:
                visit(used)
        done.append(name)

    for name in sorted(definitions):
        visit(name)
    return done


def _title(name: str) -> str:
    return name.removesuffix("View")


def _interface(
    name: str, definition: dict[str, Any], definitions: dict[str, Any], *, sent: bool = False
) -> str:
    words, told = _described(definition.get("description", ""))
    properties = definition.get("properties", {})
    if not properties:
        return f"/** {words} */\nexport type I{_title(name)} = Record<string, never>;\n"
    lines = [f"/** {words} */", f"export interface I{_title(name)} {{"]
    for key, value in properties.items():
        if key in told:
            lines.append(f"  /** {told[key]} */")
        optional = "?" if sent and key not in definition.get("required", ()) else ""
        lines.append(f"  {key}{optional}: {_type(value, definitions, sent=sent)};")
    return "\n".join([*lines, "}", ""])


def _reader(name: str, definition: dict[str, Any], definitions: dict[str, Any]) -> str:
    title = _title(name)
    shape = ", ".join(
        f"{key}: {_read(value, definitions)}" for key, value in definition.get("properties", {}).items()
    )
    return (
        f"/** Reads an `I{title}`. */\n"
        f"export const read{title}: Reader<I{title}> = object<I{title}>({{ {shape} }});\n"
    )


def _described(description: str) -> tuple[str, dict[str, str]]:
    """First sentence of a docstring, and what its `Attributes` say."""
    first = " ".join(description.split("\n\n", 1)[0].split())
    told: dict[str, str] = {}
    _, _, attributes = description.partition("Attributes:")
    for found in re.finditer(r"^\s{4}(\w+): (.*(?:\n\s{8}.*)*)", attributes, re.MULTILINE):
        told[found.group(1)] = " ".join(found.group(2).split())
    return first, told


def _type(value: dict[str, Any], definitions: dict[str, Any], *, sent: bool = False) -> str:
    inner, may_be_null = _unwrapped(value)
    if "$ref" in inner:
        name = inner["$ref"].rpartition("/")[2]
        if "enum" in definitions[name]:
            words = " | ".join(f"'{one}'" for one in definitions[name]["enum"])
            base = words if name in CLOSED else "string"
        else:
            base = f"I{_title(name)}"
    elif "enum" in inner:
        base = " | ".join(f"'{one}'" for one in inner["enum"])
    elif inner.get("type") == "array":
        item = _type(inner["items"], definitions, sent=sent)
        base = f"({item})[]" if " " in item else f"{item}[]"
    elif inner.get("additionalProperties") is True:
        base = "Record<string, unknown>"
    elif inner.get("type") == "object":
        base = f"[string, {_type(inner['additionalProperties'], definitions)}][]"
    elif inner.get("format") == "date-time":
        base = "number"
    elif "type" in inner:
        base = PLAIN[inner["type"]]
    else:
        return "unknown"
    return f"{base} | null" if may_be_null and not sent else base


def _read(value: dict[str, Any], definitions: dict[str, Any]) -> str:
    inner, may_be_null = _unwrapped(value)
    if "$ref" in inner:
        name = inner["$ref"].rpartition("/")[2]
        if "enum" in definitions[name]:
            words = ", ".join(f"'{one}'" for one in definitions[name]["enum"])
            base = f"word({words})" if name in CLOSED else "text"
        else:
            base = f"read{_title(name)}"
    elif "enum" in inner:
        base = "word(" + ", ".join(f"'{one}'" for one in inner["enum"]) + ")"
    elif inner.get("type") == "array":
        base = f"list({_read(inner['items'], definitions)})"
    elif inner.get("type") == "object":
        base = f"entries({_read(inner['additionalProperties'], definitions)})"
    elif inner.get("format") == "date-time":
        base = "time"
    elif "type" in inner:
        base = READERS[inner["type"]]
    else:
        return "anything"
    return f"optional({base})" if may_be_null else base


def _unwrapped(value: dict[str, Any]) -> tuple[dict[str, Any], bool]:
    """What a property is when it is not null, and whether it may be null."""
    choices = value.get("anyOf")
    if not choices:
        return value, False
    solid = [choice for choice in choices if choice.get("type") != "null"]
    return solid[0], len(solid) < len(choices)


def main() -> int:
    """Write the file, or check it."""
    from subprocess import run

    # prettier is the last word on how it looks.
    text = run(
        ["node", "node_modules/prettier/bin/prettier.cjs", "--stdin-filepath", "src/payloads.ts"],
        input=generated(),
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parent,
    ).stdout
    if "--check" in sys.argv[1:]:
        return 0 if TARGET.read_text(encoding="utf-8") == text else 1
    TARGET.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
