"""Types of deployments and of instances in forms: what they mean, and which numbers go with them."""

from __future__ import annotations

import os
import re
from html import escape
from typing import Any

from ..display.words import size
from ..spec import Mode
from ..views import InstanceType
from .models import Group

__all__ = ["meanings_html", "min_follows_mode", "room_words", "type_words"]

#: What each type means, for the two things that one chooses by.
MEANINGS = {
    Mode.ONLINE: ("always up: the first request is as fast as any", "uses memory all the time"),
    Mode.ON_DEMAND: ("the first request waits for an instance", "nothing while idle, back to zero by itself"),
}


def min_follows_mode(group: Group) -> None:
    """Leave out a `min` that the chosen `mode` does not know: nothing but 0 on demand, and never 0 online.

    Args:
        group: Has fields `mode` and `min`.
    """
    on_demand = group["mode"].value is Mode.ON_DEMAND
    least = group["min"]
    if least.value is not None and (least.value == "0") is not on_demand:
        least.value = None
    least.disabled = on_demand


def meanings_html() -> str:
    """What the types mean, side by side."""
    style = "flex:1 1 14em;border:1px solid var(--jp-border-color2,#bbb);border-radius:4px;padding:4px 8px"
    cells = "".join(
        f'<div style="{style}"><strong>{escape(mode.full_name)}</strong><br>'
        f"latency: {escape(latency)}<br>cost: {escape(cost)}</div>"
        for mode, (latency, cost) in MEANINGS.items()
    )
    return (
        f'<div style="display:flex;flex-wrap:wrap;gap:8px;line-height:1.4;white-space:normal">{cells}</div>'
    )


def type_words(item: InstanceType) -> str:
    """Name, size and price of an instance type, for people."""
    gpu = f", {item.gpu} GPU" if item.gpu else ""
    price = f", {item.price}" if item.price else ""
    return f"{item.name}: {item.cpu:g} CPU, {size(item.memory_bytes)}{gpu}{price}"


def room_words(kind: InstanceType | None, most: Any) -> str:
    """What this machine can take of an instance type.

    Args:
        kind: The type; None = one that the cloud chooses.
        most: Instances that are asked for, as typed.
    """
    cpus, memory = os.cpu_count() or 1, os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    said = f"this machine has {cpus} CPUs and {size(memory)}"
    if kind is None:
        return f"{said}: what does not fit waits its turn"
    fits = max(1, int(min(cpus / max(kind.cpu, 0.01), memory / max(kind.memory_bytes, 1))))
    wanted = int(most) if re.fullmatch("[0-9]{1,4}", str(most or "")) else 1
    more = f"; {wanted} are asked for, the others wait their turn" if wanted > fits else ""
    return f"{said}: room for {fits} of these at a time{more}"
