"""From an object of the notebook to a proven Bento: plan, project, build, proof.

>>> plan = make_plan("iris", clf, sample=X_test[:5])   # doctest: +SKIP
>>> built = build_project(plan, home)                  # doctest: +SKIP
>>> prove(built.path, home=home).line                  # doctest: +SKIP
'2 endpoints, 5 rows each, max difference 0'
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .build import Built, build_project, discard, run_build
    from .plan import EndpointPlan, Plan, Requirement, make_plan
    from .project import write_project
    from .proof import EndpointProof, Proof, Stage, prove, set_stage

__all__ = [
    "Built",
    "EndpointPlan",
    "EndpointProof",
    "Plan",
    "Proof",
    "Requirement",
    "Stage",
    "build_project",
    "discard",
    "make_plan",
    "prove",
    "run_build",
    "set_stage",
    "write_project",
]

_ROOMS = {
    "build": ("Built", "build_project", "discard", "run_build"),
    "plan": ("EndpointPlan", "Plan", "Requirement", "make_plan"),
    "project": ("write_project",),
    "proof": ("EndpointProof", "Proof", "Stage", "prove", "set_stage"),
}


def __getattr__(name: str) -> Any:
    from importlib import import_module

    for module, names in _ROOMS.items():
        if name in names:
            return getattr(import_module(f".{module}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
