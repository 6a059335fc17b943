"""Garbage: what nothing refers to, and environments unused for longest, deleted on demand and over a limit.

Blobs and trees that no Bento and no model refers to are always garbage, and so are environments whose build
was killed and logs of images that are gone. Finished environments are a cache: they are deleted, those
unused for longest first, until all of them together are within the limit. OCI images of Bentos that no
deployment runs are deleted on demand only: they are in the storage of the user's own program. What a process
runs in or a deployment needs is never garbage.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil

from ..errors import BentoJupyterError
from ..home import Home
from ..insight import GarbageItem, GarbageView
from ..stored_environments import StoredEnvironment, discard, size_of, stored_environments
from .images import read_recipe
from .logs import cap_log
from .oci import OciImage, delete_image, oci_key, recorded
from .store import Store
from .target import tags_of

__all__ = ["Garbage"]

logger = logging.getLogger(__name__)

#: Seconds after which something that is on its way in, or the log of an image that is gone, is given up.
ABANDONED = 24 * 3600.0


class Garbage:
    """Finds garbage and deletes it. Its calls walk the disk: make them in a thread.

    Args:
        home: Where everything is.
        store: What refers to blobs, trees and environments.
        limit: Bytes that environments may have together before those in nobody's use go by themselves.
    """

    def __init__(self, home: Home, store: Store, limit: int) -> None:
        self._home = home
        self._store = store
        self._limit = limit

    def find(self) -> GarbageView:
        """What `collect` would delete."""
        items = [item for item, _ in self._found(within_limit=False)]
        return GarbageView(items=items, bytes=sum(item.bytes for item in items), deleted=False)

    def collect(self, *, within_limit: bool = False) -> GarbageView:
        """Delete what nobody needs, and cut logs that have grown too large.

        Args:
            within_limit: Leave alone OCI images, and finished environments while all together are within the
                limit.

        Returns:
            What was deleted.
        """
        gone = []
        for item, target in self._found(within_limit):
            try:
                if self._delete(item, target):
                    gone.append(item)
            except OSError:
                logger.exception("garbage that cannot be deleted: %s", item.name)
        for log in (self._home.logs / "gateway.log", self._home.logs / "cloud.out"):
            cap_log(log)
        size = sum(item.bytes for item in gone)
        if gone:
            logger.info("deleted %d pieces of garbage, %d bytes", len(gone), size)
        return GarbageView(items=gone, bytes=size, deleted=True)

    def _found(self, within_limit: bool) -> Iterator[tuple[GarbageItem, Path | StoredEnvironment | OciImage]]:
        environments, trees = self._running()
        for blob in self._store.unused_blobs():
            yield _item("blob", blob.stem, blob), blob
        for kind, packages in (("bento", self._store.bentos), ("model", self._store.models)):
            for tree in packages.unused_trees():
                if tree not in trees:
                    tag = f"{tree.parent.parent.name}:{tree.parent.name}"
                    yield _item(kind, tag, tree), tree
        for path in self._store.incoming.iterdir():
            if _is_older(path, ABANDONED):
                yield _item("upload", path.name, path), path
        needed = set(self._needed_trees())
        yield from self._environments(environments | set(_needed_environments(needed)), within_limit)
        if not within_limit:
            yield from self._images(needed)
        with suppress(FileNotFoundError):
            for log in (self._home.logs / "images").iterdir():
                kept = (self._home.environments / log.stem, self._home.images / f"{log.stem}.json")
                if not any(each.exists() for each in kept) and _is_older(log, ABANDONED):
                    yield _item("log", log.stem, log), log

    def _environments(
        self, used: set[str], within_limit: bool
    ) -> Iterator[tuple[GarbageItem, StoredEnvironment]]:
        """Those in nobody's use, the ones unused for longest first."""
        stored = sorted(stored_environments(self._home), key=lambda each: each.used_at)
        sizes = {each.key: size_of(each.path) for each in stored}
        total = sum(sizes.values())
        for each in stored:
            keep = within_limit and each.finished and total <= self._limit
            if each.key not in used and not keep:
                total -= sizes[each.key]
                yield GarbageItem(kind="environment", name=each.key, bytes=sizes[each.key]), each

    def _images(self, needed: set[Path]) -> Iterator[tuple[GarbageItem, OciImage]]:
        """OCI images of Bentos that no deployment runs."""
        keys = set(_needed_images(needed))
        for record in self._home.images.glob("*.json"):
            image = recorded(self._home, record.stem)
            if image is not None and image.key not in keys:
                size = image.size_bytes if image.is_there else 0
                yield GarbageItem(kind="image", name=image.reference, bytes=size), image

    def _needed_trees(self) -> Iterator[Path]:
        """Folders of the Bentos of all deployments, terminated ones too."""
        records = self._store.deployments.all()
        yield from (self._store.codespaces.folder(record.uid) for record in records if record.dev)
        for tag in {tag for record in records for tag in tags_of(record)}:
            name, _, version = tag.partition(":")
            tree = self._store.bentos.unpacked(name, version)
            if tree is not None:
                yield tree

    def _running(self) -> tuple[set[str], set[Path]]:
        """Keys of environments and trees that some process runs in: instances, proofs, a user's own."""
        environments: set[str] = set()
        trees: set[Path] = set()
        for process in psutil.process_iter(["cmdline", "cwd"]):
            words = process.info["cmdline"] or [""]
            with suppress(ValueError, IndexError):
                environments.add(Path(words[0]).relative_to(self._home.environments).parts[0])
                folder = Path(process.info["cwd"] or "/")  # of the Bento, or in it
                for bento in (folder, *folder.parents):
                    trees.add(bento)
                    trees.update(link.resolve() for link in bento.glob("models/*/*"))
        return environments, trees

    def _delete(self, item: GarbageItem, target: Path | StoredEnvironment | OciImage) -> bool:
        if isinstance(target, StoredEnvironment):
            return discard(target)
        if isinstance(target, OciImage):
            return delete_image(self._home, target)
        if item.kind == "blob":
            self._store.remove_unused_blob(target)
        elif item.kind == "bento":
            self._store.bentos.remove_unused_tree(target)
        elif item.kind == "model":
            self._store.models.remove_unused_tree(target)
        elif item.kind == "upload":
            self._store.remove_incoming(target)
        else:
            target.unlink(missing_ok=True)
        return not target.exists()


def _needed_environments(trees: set[Path]) -> Iterator[str]:
    """Keys of the environments of these Bentos."""
    for tree in trees:
        with suppress(BentoJupyterError, OSError):  # it never had any
            yield read_recipe(tree).key


def _needed_images(trees: set[Path]) -> Iterator[str]:
    """Keys of the OCI images of these Bentos, which each of them may have."""
    for tree in trees:
        with suppress(OSError):
            yield oci_key(tree)


def _item(kind: str, name: str, path: Path) -> GarbageItem:
    return GarbageItem(kind=kind, name=name, bytes=size_of(path))


def _is_older(path: Path, seconds: float) -> bool:
    """True when a file was last written that long ago."""
    with suppress(FileNotFoundError):
        return os.lstat(path).st_mtime < time.time() - seconds
    return False
