"""The GPUs of this machine: which there are, and who has them."""

from __future__ import annotations

import logging
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

__all__ = ["Gpu", "Gpus", "find_gpus"]

logger = logging.getLogger(__name__)

#: Seconds that `nvidia-smi` may take: a driver that hangs must not hold up the cloud.
QUERY_TIMEOUT = 10.0


@dataclass(frozen=True)
class Gpu:
    """A GPU.

    Attributes:
        id: Its UUID, which is the same for all programs, unlike its number.
        model: What its maker calls it.
    """

    id: str
    model: str


def find_gpus(environment: Mapping[str, str] = os.environ) -> list[Gpu]:
    """The GPUs of this machine that may be used, as NVIDIA's driver tells of them by `nvidia-smi`.

    Args:
        environment: With `CUDA_VISIBLE_DEVICES`, only the GPUs that it names (numbers or UUIDs).
    """
    try:
        said = subprocess.run(
            ["nvidia-smi", "--query-gpu=index,uuid,name", "--format=csv,noheader"],
            capture_output=True,
            text=True,
            check=True,
            timeout=QUERY_TIMEOUT,
            env=dict(environment),
        ).stdout
    except FileNotFoundError:
        return []
    except (OSError, subprocess.SubprocessError) as error:
        logger.warning("nvidia-smi does not tell which GPUs there are: %s", error)
        return []
    rows = [[word.strip() for word in line.split(",", 2)] for line in said.splitlines()]
    found = {index: Gpu(uuid, model) for index, uuid, model in (row for row in rows if len(row) == 3)}
    visible = environment.get("CUDA_VISIBLE_DEVICES")
    if visible is None:
        return list(found.values())
    named = []
    for word in filter(None, map(str.strip, visible.split(","))):
        gpu = found.get(word) or next((each for each in found.values() if each.id.startswith(word)), None)
        if gpu is None:
            break  # as CUDA does: what comes after a name that it does not know is not visible
        named.append(gpu)
    return named


class Gpus:
    """Hands out GPUs, each to one owner at a time, first come, first served.

    Args:
        every: Those that there are.

    Example:
        >>> gpus = Gpus([Gpu("GPU-a", "X"), Gpu("GPU-b", "X")])
        >>> gpus.ask("first", 2), gpus.ask("second", 1)
        (('GPU-a', 'GPU-b'), None)
        >>> gpus.give_back("first")
        {'second': ('GPU-a',)}
    """

    def __init__(self, every: Sequence[Gpu]) -> None:
        self.every = tuple(every)
        self._owners: dict[str, tuple[str, ...]] = {}
        self._waiting: dict[str, int] = {}

    @property
    def free(self) -> tuple[str, ...]:
        """Ids of those that nobody has."""
        taken = {gpu for gpus in self._owners.values() for gpu in gpus}
        return tuple(gpu.id for gpu in self.every if gpu.id not in taken)

    def of(self, owner: str) -> tuple[str, ...]:
        """Those that somebody has."""
        return self._owners.get(owner, ())

    def ask(self, owner: str, count: int) -> tuple[str, ...] | None:
        """Give somebody this many; None = they are not free: the owner waits for `give_back` of others."""
        self._waiting[owner] = count
        return self._serve().get(owner)

    def give_back(self, owner: str) -> dict[str, tuple[str, ...]]:
        """Somebody needs none any more, nor waits for any.

        Returns:
            Who of those that were waiting has which now.
        """
        self._waiting.pop(owner, None)
        self._owners.pop(owner, None)
        return self._serve()

    def _serve(self) -> dict[str, tuple[str, ...]]:
        served: dict[str, tuple[str, ...]] = {}
        for owner, count in list(self._waiting.items()):
            free = self.free
            if len(free) < count:
                break  # others that need fewer do not pass it: it would wait for ever
            served[owner] = self._owners[owner] = free[:count]
            del self._waiting[owner]
        return served
