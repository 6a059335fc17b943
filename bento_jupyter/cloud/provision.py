"""What an instance needs before it can start: the Bento's folder and its image."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import BentoJupyterError, EnvironmentBuildError
from ..views import ImageView
from .images import Built, Images, Recipe, is_there, read_recipe
from .logs import LogFile
from .oci import OciImage
from .store import Store

__all__ = ["Provided", "Provision"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Provided:
    """What instances of a Bento run with.

    Attributes:
        bento: The Bento's folder.
        python: Interpreter of its environment; in an OCI image the one on its `PATH`.
        image: The OCI image that they run in; None = they run in an environment.
    """

    bento: Path
    python: Path
    image: OciImage | None = None


class Provision:
    """Gets the folder and the image of one Bento.

    Args:
        bento: Tag of the Bento.
        get_folder: Gives its folder; called in a thread.
        store: Where its secrets are.
        images: What builds images.
        changed: Called on the event loop when it is done or has failed.
        secrets: Names of the secrets that may be used while its image is built.
        oci: It is to be an OCI image.

    Attributes:
        failure: Why it failed; "" otherwise.
        renewals: How often the image was gone and got anew.
    """

    def __init__(
        self,
        bento: str,
        get_folder: Callable[[], Path],
        store: Store,
        images: Images,
        changed: Callable[[], None],
        *,
        secrets: Sequence[str] = (),
        oci: bool = False,
    ) -> None:
        self.failure = ""
        self.renewals = 0
        self._bento = bento
        self._get_folder = get_folder
        self._store = store
        self._images = images
        self._changed = changed
        self._secrets = secrets
        self._oci = oci
        self._recipe: Recipe | None = None
        self._done: Provided | None = None
        self._built: Built | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def result(self) -> Provided | None:
        """What instances run with; None while it is not there."""
        return self._done

    @property
    def status(self) -> str:
        """building, success or failed."""
        return "success" if self._done else "failed" if self.failure else "building"

    @property
    def key(self) -> str:
        """Key of the image; "" before it is known which one."""
        return self._recipe.key if self._recipe else ""

    @property
    def image(self) -> ImageView | None:
        """The image; None before it is known which one."""
        if self._recipe is not None:
            return self._images.view(self._recipe.key)
        return ImageView(key="", status="failed", reason=self.failure) if self.failure else None

    @property
    def log(self) -> LogFile | None:
        """The log of the image's build; None before it is known which one."""
        return LogFile(self._images.log_path(self._recipe.key), "image") if self._recipe else None

    def begin(self) -> None:
        """Begin, unless that has been done."""
        if self._task is None:
            self._task = asyncio.create_task(self._get(), name=f"image of {self._bento}")

    def doubt(self) -> None:
        """An instance did not start: if the image has been deleted meanwhile, it is built anew."""
        if self._built is not None and (self._task is None or self._task.done()):
            self._task = asyncio.create_task(self._look_again(self._built), name=f"image of {self._bento}")

    def cancel(self) -> None:
        """Nobody needs it any more; a build that others wait for goes on."""
        if self._task is not None:
            self._task.cancel()

    async def _look_again(self, built: Built) -> None:
        if not await asyncio.to_thread(is_there, built):
            logger.warning("the image of %s was deleted: it is built anew", self._bento)
            self._done = self._built = None
            self.renewals += 1
            self._changed()
            await self._get()

    async def _get(self) -> None:
        try:
            bento = await asyncio.to_thread(self._get_folder)
            self._recipe = await asyncio.to_thread(read_recipe, bento, oci=self._oci)
            given = await asyncio.to_thread(self._store.secrets.resolve, self._secrets, "build")
            built = await self._images.ensure(self._recipe, given)
        except Exception as error:  # without a reason here, its deployment would wait for ever
            said = str(error) if isinstance(error, OSError) else f"{type(error).__name__}: {error}"
            self.failure = error.message if isinstance(error, BentoJupyterError) else said
            if not isinstance(error, EnvironmentBuildError):
                logger.exception("the image of %s", self._bento)
        else:
            self._built = built
            if isinstance(built, OciImage):
                self._done = Provided(bento, Path("python"), built)
            else:
                self._done = Provided(bento, built.python)
        self._changed()
