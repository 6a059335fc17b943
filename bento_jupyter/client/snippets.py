"""How to call an endpoint from elsewhere: code to copy, for curl, Python and JavaScript."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import CallError, MagicUsageError
from ..examples import example_of
from .payload import content_type_of, is_upload, payload_of

__all__ = ["KINDS", "TOKEN", "Snippet", "snippet_of"]

KINDS = ("curl", "python", "httpx", "requests", "javascript")
#: Environment variable that holds the token of a protected deployment.
TOKEN = "BENTO_TOKEN"  # noqa: S105 - its name, not the token


class Snippet:
    """Code that calls an endpoint, as text.

    Args:
        kind: One of `KINDS`.
        text: The code.
    """

    def __init__(self, kind: str, text: str) -> None:
        self.kind = kind
        self.text = text

    def __str__(self) -> str:
        return self.text

    __repr__ = __str__

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        language = {"curl": "bash", "javascript": "javascript"}.get(self.kind, "python")
        fence = "```" if "```" not in self.text else "~~~~"
        return {"text/plain": self.text, "text/markdown": f"{fence}{language}\n{self.text}\n{fence}"}


@dataclass(frozen=True)
class _Call:
    """What a snippet says."""

    url: str
    route: Mapping[str, Any]
    inputs: Any
    files: list[tuple[str, str]]
    protected: bool

    @property
    def path(self) -> str:
        return str(self.route["route"]) + ("/submit" if self.route.get("is_task") else "")

    @property
    def streams(self) -> bool:
        return bool(self.route.get("output", {}).get("is_stream"))

    @property
    def is_text(self) -> bool:
        return bool(self.route.get("output", {}).get("type") == "string")

    @property
    def is_binary(self) -> bool:
        return bool(self.route.get("output", {}).get("type") == "file")


def snippet_of(
    kind: str,
    url: str,
    route: Mapping[str, Any],
    args: tuple[Any, ...] = (),
    kwargs: Mapping[str, Any] | None = None,
    *,
    protected: bool = False,
) -> Snippet:
    """Code that calls an endpoint.

    Args:
        kind: One of `KINDS`.
        url: Base URL of the deployment.
        route: Schema of the endpoint.
        args: Inputs; none = an example that the schema allows.
        kwargs: The same by name.
        protected: Send the token, from the environment variable `TOKEN`.

    Raises:
        MagicUsageError: There is no such kind.
        CallError: The inputs do not fit.
    """
    if kind not in KINDS:
        raise MagicUsageError(f"no snippet for {kind!r}", hint=f"kinds: {', '.join(KINDS)}")
    schema = route.get("input", {})
    fields: Mapping[str, Any] = schema.get("properties", {})
    files = [(key, _file_name(key, field)) for key, field in fields.items() if is_upload(field)]
    plain = {key: field for key, field in fields.items() if not is_upload(field)}
    if args or kwargs:
        options = payload_of(route, args, kwargs or {}, arrow_from=None).options
        inputs = (
            options["json"]
            if "json" in options
            else {key: json.loads(value) for key, value in options["data"].items()}
        )
    elif schema.get("root_input"):
        inputs = example_of(schema)
    else:
        definitions = schema.get("$defs") or {}
        inputs = {key: example_of(field, definitions) for key, field in plain.items()}
    text = _WRITERS[kind](_Call(url, route, inputs, files, protected))
    return Snippet(kind, text.strip())


def _file_name(key: str, field: Mapping[str, Any]) -> str:
    kind = content_type_of(field)
    if field.get("format") == "image" or kind.startswith("image"):
        return f"{key}.png"
    return f"{key}.wav" if kind.startswith("audio") else f"{key}.bin"


def _curl(call: _Call) -> str:
    lines = [f"curl {'-N ' if call.streams else ''}--fail-with-body {shlex.quote(call.url + call.path)}"]
    if call.protected:
        lines.append(f'-H "Authorization: Bearer ${TOKEN}"')
    if call.files:
        lines += [f"-F {shlex.quote(f'{key}=@{name}')}" for key, name in call.files]
        lines += [f"-F {shlex.quote(f'{key}={json.dumps(value)}')}" for key, value in call.inputs.items()]
    else:
        lines += ["-H 'Content-Type: application/json'", f"-d {shlex.quote(json.dumps(call.inputs))}"]
    if call.is_binary:
        lines.append("-o answer.bin")
    return " \\\n  ".join(lines)


def _python(call: _Call) -> str:
    """For BentoML's own client."""
    if call.route["route"].strip("/") != call.route["name"] and not call.route["name"].isidentifier():
        raise CallError(f"the bentoml client cannot name {call.route['name']!r}", hint="kind httpx can")
    values = call.inputs if isinstance(call.inputs, dict) and not _is_root(call) else None
    given = (
        [f"{key}={value!r}" for key, value in values.items()] if values is not None else [repr(call.inputs)]
    )
    given += [f'{key}=Path("{name}")' for key, name in call.files]
    lines = ["import os"] if call.protected else []
    lines += ["from pathlib import Path"] if call.files else []
    # Without a token the client would send BENTO_CLOUD_API_KEY, whomever that is for.
    token = f', token=os.environ["{TOKEN}"]' if call.protected else ', token=""'
    said = f"client.{call.route['name']}({', '.join(given)})"
    if call.route.get("is_task"):
        # Of the client's two, only the asynchronous one can submit (BentoML 1.4).
        lines = ["import asyncio", *lines, "import bentoml", "", "async def main():"]
        lines += [f'    async with bentoml.AsyncHTTPClient("{call.url}"{token}) as client:']
        lines += [f"        task = await {said.replace('(', '.submit(', 1)}", "        print(task.id)"]
        return "\n".join([*lines, "", "asyncio.run(main())"])
    lines += ["import bentoml", "", f'with bentoml.SyncHTTPClient("{call.url}"{token}) as client:']
    if call.streams:
        lines += [f"    for part in {said}:", '        print(part, end="")']
    else:
        lines += [f"    print({said})"]
    return "\n".join(lines)


def _is_root(call: _Call) -> bool:
    return bool(call.route.get("input", {}).get("root_input"))


def _http_options(call: _Call, indent: str) -> list[str]:
    """The arguments that httpx and requests share."""
    lines = [f'"{call.url}{call.path}",']
    if call.protected:
        lines.append(f'headers={{"Authorization": f"Bearer {{os.environ[{TOKEN!r}]}}"}},')
    if call.files:
        files = ", ".join(f'"{key}": open("{name}", "rb")' for key, name in call.files)
        lines.append(f"files={{{files}}},")
        if call.inputs:
            lines.append(f"data={ {key: json.dumps(value) for key, value in call.inputs.items()}!r},")
    else:
        lines.append(f"json={call.inputs!r},")
    lines.append("timeout=300,")
    return [indent + line for line in lines]


def _after(call: _Call) -> list[str]:
    if call.is_binary:
        return ['open("answer.bin", "wb").write(response.content)']
    return ["print(response.text)" if call.is_text else "print(response.json())"]


def _httpx(call: _Call) -> str:
    lines = ["import os", ""] if call.protected else []
    lines += ["import httpx", ""]
    if call.streams:
        lines += ["with httpx.stream(", '    "POST",', *_http_options(call, "    "), ") as response:"]
        lines += ["    response.raise_for_status()", "    for part in response.iter_text():"]
        lines += ['        print(part, end="", flush=True)']
    else:
        lines += ["response = httpx.post(", *_http_options(call, "    "), ")"]
        lines += ["response.raise_for_status()", *_after(call)]
    return "\n".join(lines)


def _requests(call: _Call) -> str:
    lines = ["import os", ""] if call.protected else []
    lines += ["import requests", "", "response = requests.post(", *_http_options(call, "    ")]
    lines += ["    stream=True,"] if call.streams else []
    lines += [")", "response.raise_for_status()"]
    if call.streams:
        lines += ["for part in response.iter_content(chunk_size=None):"]
        lines += ['    print(part.decode(), end="", flush=True)']
    else:
        lines += _after(call)
    return "\n".join(lines)


def _javascript(call: _Call) -> str:
    """For node; in a browser the file comes from an input element."""
    headers = {}
    if call.protected:
        headers["Authorization"] = f"`Bearer ${{process.env.{TOKEN}}}`"
    lines = []
    if call.files:
        lines += ['import { openAsBlob } from "node:fs";', "", "const form = new FormData();"]
        lines += [
            f'form.append("{key}", await openAsBlob("{name}"{_blob_type(name)}), "{name}");'
            for key, name in call.files
        ]
        lines += [
            f'form.append("{key}", {json.dumps(json.dumps(value))});' for key, value in call.inputs.items()
        ]
        body = "form"
    else:
        headers["Content-Type"] = '"application/json"'
        body = f"JSON.stringify({json.dumps(call.inputs)})"
    said = ", ".join(
        f'"{key}": {value}' if "-" in key else f"{key}: {value}" for key, value in headers.items()
    )
    lines += [f'const response = await fetch("{call.url}{call.path}", {{', '  method: "POST",']
    lines += [f"  headers: {{ {said} }},"] if said else []
    lines += [f"  body: {body},", "});"]
    lines += ["if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`);"]
    if call.streams:
        lines += ["const decoder = new TextDecoder();", "for await (const part of response.body) {"]
        lines += ["  process.stdout.write(decoder.decode(part, { stream: true }));", "}"]
    elif call.is_binary:
        lines += ["const answer = await response.blob();", "console.log(answer.size, answer.type);"]
    else:
        lines += [f"console.log(await response.{'text' if call.is_text else 'json'}());"]
    return "\n".join(lines)


def _blob_type(name: str) -> str:
    kinds = {"png": "image/png", "wav": "audio/wav"}
    kind = kinds.get(name.rpartition(".")[2])
    return f', {{ type: "{kind}" }}' if kind else ""


_WRITERS = {
    "curl": _curl,
    "python": _python,
    "httpx": _httpx,
    "requests": _requests,
    "javascript": _javascript,
}
