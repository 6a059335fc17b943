"""The plan in words: what goes in and why, what it will answer, and what was left out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .plan import EndpointPlan, Plan

__all__ = ["in_words", "plan_bundle", "plan_text"]


def in_words(descriptor: dict[str, Any] | None) -> str:
    """A descriptor for people, e.g. `float64 array (rows, 4)`.

    Example:
        >>> in_words({"kind": "array", "dtype": "float64", "shape": [-1, 4]})
        'float64 array (rows, 4)'
    """
    if descriptor is None:
        return "what its annotation says"
    kind = descriptor["kind"]
    if kind == "frame":
        columns = descriptor["columns"]
        shown = ", ".join(f"{column['name']} {column['dtype']}" for column in columns[:4])
        return f"DataFrame ({shown}{', ...' if len(columns) > 4 else ''})"
    if kind == "array":
        rest = "".join(f", {size}" for size in descriptor["shape"][1:])
        return f"{descriptor['dtype']} array (rows{rest})"
    if kind == "series":
        return f"{descriptor['dtype']} series"
    if kind == "scalar":
        return str(descriptor["dtype"])
    if kind == "record":
        return f"record ({', '.join(descriptor['fields'])})"
    if kind in ("list", "tuple", "set") and isinstance(descriptor["items"], dict):
        return f"{kind} of {in_words(descriptor['items'])}"
    if kind == "mapping":
        return f"dict of {in_words(descriptor['values'])}"
    if kind == "optional":
        return f"{in_words(descriptor['of'])} or None"
    if kind == "choices":
        return f"one of {', '.join(map(repr, descriptor['values']))}"
    if kind == "union":
        return " or ".join(in_words(each) for each in descriptor["of"])
    if kind == "model":
        return str(descriptor["type"])
    return {"json": "JSON", "any": "JSON"}.get(kind, str(kind))


def sized(size: int) -> str:
    """Bytes for people."""
    number = float(size)
    for unit in ("bytes", "kB", "MB", "GB"):
        if number < 1000 or unit == "GB":
            return f"{number:.0f} {unit}" if unit == "bytes" else f"{number:.1f} {unit}"
        number /= 1000
    raise AssertionError


def signature(point: EndpointPlan) -> str:
    """An endpoint's types in words."""
    takes = ", ".join(
        f"{parameter.name}{'' if parameter.default is None else '?'} {in_words(parameter.descriptor)}"
        for parameter in point.parameters
    )
    gives = in_words(point.output)
    return f"{takes or 'nothing'} -> {'stream of ' * ('stream' in point.kind)}{gives}"


def sections(plan: Plan) -> list[tuple[str, list[tuple[str, str]]]]:
    """What a plan says: per section, names with what there is to say."""
    points = [(f"/{point.name}", signature(point)) for point in plan.endpoints]
    code = [
        (f"{item.kind} {item.name}", ", ".join(filter(None, [str(item.place or ""), item.why])))
        for item in plan.definitions
    ]
    data = [
        (
            name,
            f"{saved.kind}, {sized(saved.size)}, saved by {saved.framework}"
            + (f": {item.why}" if item is not None else ": it is served"),
        )
        for item, name, saved in plan.data
    ]
    modules = [
        (module.name, f"{len(module.files)} file{'s' * (len(module.files) != 1)}, {module.why}")
        for module in plan.modules
    ]
    needs = [(f"{item.name}=={item.version}", item.why) for item in plan.requirements]
    wheels = list(plan.local.items())
    return [
        ("endpoints", points),
        ("left out", list(plan.left_out.items())),
        ("code of the notebook", code),
        ("objects", data),
        ("modules of the project", modules),
        ("requirements", needs),
        ("shipped as wheels", wheels),
        ("mind", [("", warning) for warning in plan.warnings]),
    ]


def headline(plan: Plan) -> str:
    """A plan in a line."""
    rows = sum(len(point.cases) for point in plan.endpoints)
    return (
        f"{plan.name}: {plan.object[0]}, {sized(plan.object[1])}, Python {plan.python}, "
        f"{len(plan.lock)} distributions in the lock, {rows} cases for the proof"
    )


def plan_text(plan: Plan) -> str:
    """A plan for a terminal."""
    lines = [headline(plan)]
    for title, rows in sections(plan):
        if rows:
            lines.append(title)
            width = min(max(len(name) for name, _ in rows), 32)
            lines += [
                f"  {name.ljust(width)}  {words}".rstrip() if name else f"  {words}" for name, words in rows
            ]
    return "\n".join(lines)


def plan_bundle(plan: Plan) -> dict[str, Any]:
    """The mimebundle of a plan."""
    from bento_jupyter.display.tables import card_bundle

    rows = [
        (title, "\n".join(f"{name}: {words}" if name else words for name, words in entries))
        for title, entries in sections(plan)
        if entries
    ]
    data = {
        title: [{"name": name, "why": words} for name, words in entries] for title, entries in sections(plan)
    }
    bundle = card_bundle(f"Plan of {plan.name}", headline(plan).partition(": ")[2], rows, data)
    bundle["text/plain"] = plan_text(plan)
    return bundle
