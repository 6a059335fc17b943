"""How built Bentos and proofs look in a cell."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .tables import card_bundle

__all__ = ["built_card"]


def built_card(tag: str, plan: Any, proof: Any, project: Path | None = None) -> dict[str, Any]:
    """The mimebundle of a built Bento.

    Args:
        tag: Its tag.
        plan: The capture's plan (what went in and why), or None.
        proof: The proof, or None.
        project: Folder of the readable project that it was built from, or None.
    """
    rows: list[tuple[str, str]] = []
    data: dict[str, Any] = {"tag": tag}
    if plan is not None:
        names = [point.name for point in plan.endpoints]
        requirements = [f"{item.name}=={item.version}" for item in plan.requirements]
        left_out = [f"{name}: {reason}" for name, reason in plan.left_out.items()]
        rows += [
            ("endpoints", ", ".join(names)),
            ("left out", "\n".join(left_out)),
            ("mind", "\n".join(plan.warnings)),
            ("needs", ", ".join(requirements)),
            ("Python", plan.python),
        ]
        data |= {"endpoints": names, "left_out": dict(plan.left_out), "requirements": requirements}
    rows.append(("project", str(project or "")))
    rows.append(("proof", proof.line if proof is not None else "not proven: %bento_prove " + tag))
    data["proof"] = proof.line if proof is not None else None
    badge = "" if proof is None else "✓ proven" if proof.equal else "✗ different"
    return card_bundle(f"Bento {tag}", badge, rows, data)
