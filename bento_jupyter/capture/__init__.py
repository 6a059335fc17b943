"""From objects of the notebook to a proven Bento: plan, project, build, proof.

>>> plan = make_plan("iris", clf, sample=X_test[:5])   # doctest: +SKIP
>>> built = build_project(plan, home)                  # doctest: +SKIP
>>> prove(built.path, home=home).line                  # doctest: +SKIP
'2 endpoints, 5 rows each, max difference 0'
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .frameworks import Framework, register, saved
    from .packages.missing import with_missing
    from .packages.requirements import Requirement
    from .parts import Loader, Method, Saved
    from .plan import EndpointPlan, Plan, make_plan
    from .project.build import Built, build_directory, build_project, discard, run_build
    from .project.builder import Builder
    from .project.export import export_project
    from .project.writing import write_project
    from .proof.proving import EndpointProof, Proof, Stage, prove, set_stage

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
    "project.build": ("Built", "build_directory", "build_project", "discard", "run_build"),
    "project.builder": ("Builder",),
    "project.export": ("export_project",),
    "frameworks": ("Framework", "register", "saved"),
    "packages.missing": ("with_missing",),
    "parts": ("Loader", "Method", "Saved"),
    "plan": ("EndpointPlan", "Plan", "make_plan"),
    "project.writing": ("write_project",),
    "proof.proving": ("EndpointProof", "Proof", "Stage", "prove", "set_stage"),
    "packages.requirements": ("Requirement",),
}


def __getattr__(name: str) -> Any:
    from importlib import import_module

    for module, names in _ROOMS.items():
        if name in names:
            return getattr(import_module(f".{module}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
