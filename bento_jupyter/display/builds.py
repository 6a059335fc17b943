"""How built Bentos and proofs look in a cell."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .tables import card_bundle
from .words import duration

__all__ = ["built_card", "proof_card"]

#: Differences that a card names.
SHOWN_DIFFERENCES = 10


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
    tone = "" if proof is None else "good" if proof.equal else "bad"
    return card_bundle(f"Bento {tag}", badge, rows, data, tone=tone)


def proof_card(proof: Any) -> dict[str, Any]:
    """The mimebundle of a proof: it holds for the Bento for good, or for a deployment as of then."""
    rows = [
        ("asked", proof.url or "the Bento in an environment of its own"),
        ("compared", "" if proof.differences else proof.line),
        ("different", "\n".join(proof.differences[:SHOWN_DIFFERENCES])),
        ("took", duration(proof.seconds)),
    ]
    data = {
        "tag": proof.tag,
        "equal": proof.equal,
        "url": proof.url,
        "max_difference": proof.max_difference,
        "differences": proof.differences,
        "endpoints": [point.name for point in proof.endpoints],
    }
    badge, tone = ("✓ proven", "good") if proof.equal else ("✗ different", "bad")
    return card_bundle(f"Proof of {proof.tag}", badge, rows, data, tone=tone, at=proof.at)
