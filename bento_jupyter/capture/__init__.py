"""From objects of the notebook to a proven Bento: plan, project, build, proof.

>>> plan = make_plan("iris", clf, sample=X_test[:5])   # doctest: +SKIP
>>> built = build_project(plan, home)                  # doctest: +SKIP
>>> prove(built.path, home=home).line                  # doctest: +SKIP
'2 endpoints, 5 rows each, max difference 0'
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .build import Built, build_directory, build_project, discard, run_build
    from .builder import Builder
    from .export import export_project
    from .frameworks import Framework, register, saved
    from .missing import with_missing
    from .parts import Loader, Method, Saved
    from .plan import EndpointPlan, Plan, make_plan
    from .project import write_project
    from .proof import EndpointProof, Proof, Stage, prove, set_stage
    from .requirements import Requirement

__all__ = [
    "Builder",
    "Built",
    "EndpointPlan",
    "EndpointProof",
    "Framework",
    "Loader",
    "Method",
    "Plan",
    "Proof",
    "Requirement",
    "Saved",
    "Stage",
    "build_directory",
    "build_project",
    "discard",
    "export_project",
    "make_plan",
    "prove",
    "register",
    "run_build",
    "saved",
    "set_stage",
    "with_missing",
    "write_project",
]

_ROOMS = {
    "build": ("Built", "build_directory", "build_project", "discard", "run_build"),
    "builder": ("Builder",),
    "export": ("export_project",),
    "frameworks": ("Framework", "register", "saved"),
    "missing": ("with_missing",),
    "parts": ("Loader", "Method", "Saved"),
    "plan": ("EndpointPlan", "Plan", "make_plan"),
    "project": ("write_project",),
    "proof": ("EndpointProof", "Proof", "Stage", "prove", "set_stage"),
    "requirements": ("Requirement",),
}


def __getattr__(name: str) -> Any:
    from importlib import import_module

    for module, names in _ROOMS.items():
        if name in names:
            return getattr(import_module(f".{module}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
