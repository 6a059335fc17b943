"""What instances use, and what keeps them within their memory."""

from __future__ import annotations

import contextlib
import os
import sys
from dataclasses import dataclass

import psutil

__all__ = [
    "Usage",
    "bound_memory",
    "is_out_of_memory",
    "memory_words",
    "most_memory",
    "out_of_memory",
    "own_memory",
    "start_without_memory",
    "usage_by_group",
]

#: An instance may ask the system for this many times what it has, and for `SLACK_BYTES` more: libraries
#: ask for much that they never touch. What it does touch is measured.
SLACK = 2
SLACK_BYTES = 2**30
#: How Python, NumPy and PyTorch say that there is no memory left.
SIGNS = ("MemoryError", "Unable to allocate", "Cannot allocate memory", "not enough memory", "std::bad_alloc")


@dataclass
class Usage:
    """What the processes of a group use together.

    Attributes:
        memory_bytes: Resident memory; what they share is counted in each.
        cpu_seconds: CPU time since they were started.
    """

    memory_bytes: int = 0
    cpu_seconds: float = 0.0


def bound_memory(pid: int, memory_bytes: int) -> None:
    """Refuse a process, and what it starts from now on, memory that is far beyond what it has (Linux).

    It meets what no look at a process can: one that takes all memory of the machine between two looks. It
    gets a `MemoryError` instead, for that one request.
    """
    if sys.platform == "linux":
        import resource

        most = most_memory(memory_bytes)
        with contextlib.suppress(OSError, ValueError):  # it has ended, or is bounded more narrowly already
            resource.prlimit(pid, resource.RLIMIT_DATA, (most, most))


def most_memory(memory_bytes: int) -> int:
    """What an instance with this much memory may ask the system for."""
    return SLACK * memory_bytes + SLACK_BYTES


def is_out_of_memory(error: str) -> bool:
    """Whether the last line of a traceback says that memory was short."""
    return any(sign in error for sign in SIGNS)


def memory_words(memory_bytes: float) -> str:
    """`512 MiB`, `2 GiB`."""
    if memory_bytes < 2**30:
        return f"{memory_bytes / 2**20:.4g} MiB"
    return f"{memory_bytes / 2**30:.4g} GiB"


def out_of_memory(used: int, memory_bytes: int, instance_type: str) -> str:
    """Why an instance was ended that used too much."""
    return (
        f"out of memory: it used {memory_words(used)}; instance type {instance_type} "
        f"has {memory_words(memory_bytes)}"
    )


def start_without_memory(error: str, memory_bytes: int, instance_type: str) -> str:
    """Why a start failed with such an error."""
    return f"out of memory ({error}); instance type {instance_type} has {memory_words(memory_bytes)}"


def usage_by_group(groups: set[int]) -> dict[int, Usage]:
    """What these process groups use."""
    found: dict[int, Usage] = {}
    for pid, group in _members(groups):
        with contextlib.suppress(psutil.Error):
            process = psutil.Process(pid)
            with process.oneshot():
                usage = found.setdefault(group, Usage())
                usage.memory_bytes += process.memory_info().rss
                times = process.cpu_times()
                usage.cpu_seconds += times.user + times.system
    return found


def own_memory(group: int) -> int:
    """Memory that a process group uses, in which each page counts once, however many processes share it.

    Dearer than `usage_by_group`: for a second look at what seems to have too much.
    """
    total = 0
    for pid, _ in _members({group}):
        with contextlib.suppress(psutil.Error):
            process = psutil.Process(pid)
            if sys.platform == "linux":
                total += int(process.memory_full_info().pss)
            else:
                total += int(process.memory_info().rss)
    return total


def _members(groups: set[int]) -> list[tuple[int, int]]:
    found = []
    for pid in psutil.pids():
        with contextlib.suppress(ProcessLookupError, PermissionError):
            group = os.getpgid(pid)
            if group in groups:
                found.append((pid, group))
    return found
