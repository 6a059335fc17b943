"""What the clean run found missing: added to the requirements, with that as its evidence."""

from __future__ import annotations

from dataclasses import replace

from bento_jupyter.errors import ProofError

from ..plan import Plan
from .cleanrun import added
from .distributions import closure, pin_name
from .installed import canonical, installed
from .requirements import Needs, Requirement

__all__ = ["with_missing"]


def with_missing(plan: Plan, error: ProofError) -> Plan:
    """The plan with the distribution whose module the clean run lacked.

    Args:
        plan: The plan whose Bento did not start or answer.
        error: Why.

    Raises:
        ProofError: `error` itself, when no module was missing or nothing installed in the kernel brings it.
    """
    found = (
        added([error.missing_module], [pin_name(pin) for pin in plan.lock]) if error.missing_module else {}
    )
    if not found:
        raise error
    there = installed()
    new = [Requirement(name, there[canonical(name)].public_version, why) for name, why in found.items()]
    direct = sorted([*plan.requirements, *new], key=lambda item: item.name)
    lock = closure(item.name for item in direct)
    return replace(
        plan, requirements=direct, lock=lock.pins, absent=lock.absent, local=Needs(direct).local(lock)
    )
