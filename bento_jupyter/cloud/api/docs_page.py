"""The OpenAPI document as a page: every call with what goes in and comes out, and the models. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .html import Content, Html, table, tag
from .openapi import OpenApi

__all__ = ["document_content"]


def document_content(document: OpenApi) -> list[Content]:
    """Everything below the heading."""
    by_tag: dict[str, list[Html]] = {each["name"]: [] for each in document.tags}
    for path, operations in document.paths.items():
        for method, operation in operations.items():
            by_tag[operation["tags"][0]].append(_operation(method.upper(), path, operation))
    links = [tag("li", tag("a", name, href=f"#tag-{_anchor(name)}")) for name in by_tag]
    calls = [
        tag("section", tag("h2", name, id=f"tag-{_anchor(name)}"), operations)
        for name, operations in by_tag.items()
    ]
    schemas = document.components["schemas"]
    models = [_model(name, schema) for name, schema in sorted(schemas.items())]
    return [
        tag("p", document.info["description"].replace("`", "")),
        tag("p", "As OpenAPI 3.1: ", tag("code", "GET /api/bj/v1/openapi.json"), ", with a token."),
        tag("ul", links, class_="row"),
        calls,
        tag("section", tag("h2", "Models", id="models"), models),
    ]


def _operation(method: str, path: str, operation: Mapping[str, Any]) -> Html:
    lines: list[Content] = [tag("h3", tag("code", f"{method} {path}"), id=operation["operationId"])]
    lines.append(tag("p", operation["summary"].replace("`", "")))
    asked = [each for each in operation["parameters"] if each["in"] == "query"]
    if asked:
        lines.append(
            table(
                "Query",
                ("Name", "Type"),
                [[tag("code", each["name"]), _type(each["schema"])] for each in asked],
            )
        )
    if body := operation.get("requestBody"):
        lines.append(tag("p", "Body: ", _content(body["content"])))
    lines.append(tag("p", "Answer: ", _content(operation["responses"]["200"].get("content") or {})))
    return tag("article", lines)


def _content(content: Mapping[str, Any]) -> list[Content]:
    found: list[Content] = []
    for media, described in content.items():
        schema = described.get("schema") or described.get("x-item-schema")
        found += [", or " if found else None, _type(schema) if schema else None]
        if media != "application/json":
            found.append(f" ({media}{', one per line' if 'x-item-schema' in described else ''})")
    return found or ["nothing"]


def _model(name: str, schema: Mapping[str, Any]) -> Html:
    description = str(schema.get("description") or "").partition("\n\n")[0]
    if "enum" in schema:
        content: Content = tag("p", "One of: ", ", ".join(map(str, schema["enum"])))
    else:
        required = schema.get("required") or []
        content = table(
            "Fields",
            ("Field", "Type", ""),
            [
                [tag("code", field), _type(described), "always" if field in required else ""]
                for field, described in (schema.get("properties") or {}).items()
            ],
        )
    return tag("article", tag("h3", name, id=f"model-{name}"), tag("p", description), content)


def _type(schema: Mapping[str, Any]) -> Html:
    """A schema in words, with links to the models it names."""
    if "$ref" in schema:
        name = str(schema["$ref"]).rpartition("/")[2]
        return tag("a", name, href=f"#model-{name}")
    for key in ("anyOf", "oneOf", "allOf"):
        if key in schema:
            parts = [_type(each) for each in schema[key]]
            return _joined(parts, " or ")
    if "enum" in schema:
        return Html(" or ".join(tag("code", str(each)) for each in schema["enum"]))
    if schema.get("type") == "array":
        return Html(f"list of {_type(schema.get('items') or {})}")
    name = str(schema.get("format") or schema.get("type") or "anything")
    if schema.get("type") == "object":
        extra = schema.get("additionalProperties")
        return Html(f"object of {_type(extra)}") if isinstance(extra, Mapping) and extra else Html("object")
    return tag("span", name)


def _joined(parts: list[Html], between: str) -> Html:
    return Html(between.join(parts))


def _anchor(name: str) -> str:
    return "".join(letter if letter.isalnum() else "-" for letter in name)
