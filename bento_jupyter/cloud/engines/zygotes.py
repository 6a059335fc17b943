"""The zygotes of this machine: one per environment and set of variables, kept while they are needed."""

from __future__ import annotations

import hashlib
import json
import logging
import secrets
import shutil
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from ...environments import IMPORTS
from ...launcher import zygote_envs
from ...views import ZygoteView
from ...zygote import Zygote
from ..logs import cap_log

__all__ = ["Zygotes", "record_of"]

logger = logging.getLogger(__name__)

#: Share of the machine's memory that zygotes may have; the one unused for longest goes first.
MEMORY_SHARE = 0.25
#: Seconds that a zygote may take to get warm.
WARM_TIMEOUT = 300.0
#: Newest records of an environment that count; each new version of a Bento leaves one.
KEPT_RECORDS = 20
#: Modules beyond what a zygote has imported from which on it is worth another one.
NEWS = 20
#: How often in a row one that has ended is replaced, and seconds after which it counts as having lived.
REPLACEMENTS, LIVED = 3, 60.0

Key = tuple[Path, tuple[tuple[str, str], ...]]


def record_of(python: Path, bento: Path) -> Path:
    """The file with what a Bento was seen to import in the environment of an interpreter."""
    digest = hashlib.sha256(str(bento).encode()).hexdigest()[:16]
    return python.parent.parent / IMPORTS / f"{digest}.json"


@dataclass
class Kept:
    """A zygote and what is known of it."""

    zygote: Zygote
    modules: frozenset[str]
    scratch: Path
    since: float = field(default_factory=time.monotonic)
    used_at: float = field(default_factory=time.monotonic)
    forks: int = 0

    def close(self) -> None:
        """End it."""
        self.zygote.close()
        shutil.rmtree(self.scratch, ignore_errors=True)


class Zygotes:
    """Keeps zygotes warm. Its calls are short, and may come from any thread; warming up goes on aside.

    Args:
        scratch: Folder for what they write.
        logs: Folder of their logs.
        home: Home of the cloud, which they are known by after a crash.
    """

    def __init__(self, scratch: Path, logs: Path, home: Path) -> None:
        self._scratch = scratch
        self._logs = logs
        self._home = home
        self._kept: dict[Key, Kept] = {}
        self._wanted: dict[str, Key] = {}
        self._warming: set[Key] = set()
        self._starting: list[Kept] = []
        self._retired: list[Kept] = []
        self._warmers = ThreadPoolExecutor(1, thread_name_prefix="zygotes")
        #: What cannot be forked, with the imports that this was seen with.
        self._hopeless: dict[Key, frozenset[str]] = {}
        #: How often in a row one has ended by itself, warm or not.
        self._ends: dict[Key, int] = {}
        self._lock = threading.Lock()
        self._closing = threading.Event()

    def want(self, name: str, python: Path, envs: Mapping[str, str]) -> None:
        """Instances of this environment may be started at any time: have a zygote warm, if there is room.

        Args:
            name: Who may start them; it is remembered until `release`.
            python: Interpreter of the environment.
            envs: Environment variables of the instances.
        """
        key = _key(python, envs)
        with self._lock:
            self._wanted[name] = key
            self._retire_unwanted()
            there = key in self._kept or key in self._warming
            if not there and self._has_room():
                self._renew(key)

    def refresh(self, python: Path, envs: Mapping[str, str]) -> None:
        """An instance was started that no zygote forked: now it is known what to import."""
        key = _key(python, envs)
        with self._lock:
            if key in self._wanted.values():
                self._renew(key)

    def _renew(self, key: Key) -> None:
        """Warm one up, unless there is one that has imported nearly all that is known."""
        if key in self._warming or self._closing.is_set():
            return
        modules = recorded(key[0])
        there = self._kept.get(key)
        known = there.modules if there else self._hopeless.get(key)
        if known is not None and len(modules - known) < NEWS:
            return
        self._warming.add(key)
        self._warmers.submit(self._warm, key, modules)

    def release(self, name: str) -> None:
        """Nobody of this name will start instances any more."""
        with self._lock:
            self._wanted.pop(name, None)
            self._retire_unwanted()

    def get(self, python: Path, envs: Mapping[str, str]) -> Zygote | None:
        """A zygote that can fork such an instance now; None = there is none."""
        with self._lock:
            kept = self._kept.get(_key(python, envs))
            if kept is None or not kept.zygote.is_warm:
                return None
            kept.used_at = time.monotonic()
            kept.forks += 1
            return kept.zygote

    def tend(self) -> None:
        """Replace those that have died, drop those for which memory is short; call it now and then."""
        with self._lock:
            for key in [key for key, kept in self._kept.items() if kept.zygote.is_over]:
                self._note_end(key, self._kept.pop(key))
            while len(self._kept) > 1 and not self._fits():
                key = min(self._kept, key=lambda each: self._kept[each].used_at)
                logger.info("zygote %d goes: memory is short", self._kept[key].zygote.pid)
                self._retire(self._kept.pop(key))
            for each in [each for each in self._retired if each.zygote.has_ended]:
                self._retired.remove(each)
                each.close()
            for key in set(self._wanted.values()) - set(self._kept) - self._warming - set(self._hopeless):
                if self._has_room():
                    self._renew(key)
        for log in self._logs.glob("*.log"):
            cap_log(log)

    def views(self) -> list[ZygoteView]:
        """All that are kept."""
        with self._lock:
            return [
                ZygoteView(
                    pid=kept.zygote.pid,
                    environment=key[0].parent.parent.name,
                    modules=len(kept.modules),
                    memory_bytes=memory_of(kept.zygote.pid),
                    forks=kept.forks,
                    users=sorted(name for name, each in self._wanted.items() if each == key),
                )
                for key, kept in self._kept.items()
            ]

    def close(self) -> None:
        """End them all."""
        with self._lock:
            self._closing.set()
            every = [*self._kept.values(), *self._starting, *self._retired]
            self._kept.clear()
        for each in every:
            each.close()
        self._warmers.shutdown()

    def _note_end(self, key: Key, kept: Kept) -> None:
        """One has ended by itself: it is replaced, unless that has happened too often in a row."""
        logger.warning("zygote %d has ended", kept.zygote.pid)
        kept.close()
        lived = time.monotonic() - kept.since >= LIVED
        self._ends[key] = 1 if lived else self._ends.get(key, 0) + 1
        if self._ends[key] > REPLACEMENTS:
            self._hopeless[key] = kept.modules

    def _retire(self, kept: Kept) -> None:
        kept.zygote.retire()
        self._retired.append(kept)

    def _retire_unwanted(self) -> None:
        for key in set(self._kept) - set(self._wanted.values()):
            self._retire(self._kept.pop(key))

    def _fits(self, more: int = 0) -> bool:
        """Whether all of them, and this many bytes, are within their share of the memory."""
        sizes = sum(memory_of(kept.zygote.pid) for kept in self._kept.values())
        return sizes + more <= psutil.virtual_memory().total * MEMORY_SHARE

    def _has_room(self) -> bool:
        """Whether there is room for another like the largest."""
        return self._fits(max((memory_of(kept.zygote.pid) for kept in self._kept.values()), default=0))

    def _warm(self, key: Key, modules: frozenset[str]) -> None:
        if self._closing.is_set():
            return
        python, envs = key
        scratch = self._scratch / f"zygote-{secrets.token_hex(8)}"
        kept: Kept | None = None
        try:
            scratch.mkdir(mode=0o700, parents=True, exist_ok=True)
            imports = scratch / "imports.json"
            imports.write_text(json.dumps(in_order(python, modules)), encoding="utf-8")
            log = self._logs / f"{python.parent.parent.name}.log"
            zygote = Zygote(python, imports, zygote_envs(python, scratch, dict(envs)), log, self._home)
            kept = Kept(zygote, modules, scratch)
            with self._lock:
                if self._closing.is_set():
                    kept.close()
                    return
                self._starting.append(kept)
            if not zygote.wait_warm(WARM_TIMEOUT):
                logger.info("no zygote for %s: %d threads after its imports", python, zygote.threads)
        except OSError as error:
            logger.warning("no zygote for %s: %s", python, error)
        with self._lock:
            self._warming.discard(key)
            if kept is not None:
                self._starting.remove(kept)
            if kept is not None and self._closing.is_set():
                kept.close()
            elif kept is not None and not kept.zygote.threads and kept.zygote.is_over:
                self._note_end(key, kept)
            elif kept is None or not kept.zygote.is_warm:
                self._hopeless[key] = modules
                if kept is not None:
                    kept.close()
            elif key not in self._wanted.values():
                kept.close()
            else:
                if key in self._kept:
                    self._retire(self._kept[key])
                self._kept[key] = kept


def _key(python: Path, envs: Mapping[str, str]) -> Key:
    return python, tuple(sorted(envs.items()))


def recorded(python: Path) -> frozenset[str]:
    """What Bentos were seen to import in the environment of an interpreter."""
    return frozenset(in_order(python))


def in_order(python: Path, only: frozenset[str] | None = None) -> list[str]:
    """The same, in the order of the imports: it decides who is imported by whom."""
    names: dict[str, None] = {}
    files = sorted((python.parent.parent / IMPORTS).glob("*.json"), key=lambda file: file.stat().st_mtime)
    for old in files[:-KEPT_RECORDS]:
        old.unlink(missing_ok=True)
    for file in files[-KEPT_RECORDS:]:
        try:
            names.update(dict.fromkeys(json.loads(file.read_text(encoding="utf-8"))))
        except (OSError, ValueError):
            continue
    return [name for name in names if only is None or name in only]


def memory_of(pid: int) -> int:
    """Resident memory of a process, in bytes; 0 when it is gone."""
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return 0
