"""What a Bento is made of, as a cloud has it: to take it from there, and to see that two have the same."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import CloudError, NotFoundError
from .local import stored
from .spinner import quiet_spinner

if TYPE_CHECKING:
    from .cloud import Cloud

__all__ = ["digest", "pull"]


def pull(cloud: Cloud, tag: str, *, progress: Callable[[str], None] | None = None) -> None:
    """Bring a Bento and its models into the local store; what is there already stays.

    Args:
        cloud: Where it is.
        tag: Tag `name:version`.
        progress: Called with a line for each step of the client.

    Raises:
        CloudError: The cloud does not give it.
    """
    try:
        bento = stored(tag)
    except NotFoundError:
        with _client_errors(cloud, tag):
            bento = _apis(cloud, progress)[0].pull(tag)
    with _client_errors(cloud, tag):
        for model in _models(bento):
            _apis(cloud, progress)[1].pull(model)


def digest(cloud: Cloud, tag: str) -> str:
    """SHA-256 (hex) of all files of a Bento and of its models, as a cloud gives them.

    It is made of what is in the archives, not of these: two clients pack the same files differently.

    Args:
        cloud: The cloud to ask.
        tag: Tag `name:version`.

    Raises:
        CloudError: The cloud does not give it.
    """
    from bentoml._internal.bento import BentoStore
    from bentoml._internal.models import ModelStore

    total = hashlib.sha256()
    with tempfile.TemporaryDirectory(prefix="bento-digest-") as name, _client_errors(cloud, tag):
        bentos, models = Path(name) / "bentos", Path(name) / "models"
        bentos.mkdir()
        models.mkdir()
        of_bentos, of_models = _apis(cloud, None)
        bento = of_bentos.pull(tag, bento_store=BentoStore(str(bentos)))
        for model in _models(bento):
            of_models.pull(model, model_store=ModelStore(str(models)))
        for path in sorted(item for item in Path(name).rglob("*") if item.is_file()):
            with path.open("rb") as file:
                content = hashlib.sha256()
                while block := file.read(1 << 20):
                    content.update(block)
            total.update(f"{path.relative_to(name).as_posix()}\0{content.hexdigest()}\n".encode())
    return total.hexdigest()


def _apis(cloud: Cloud, progress: Callable[[str], None] | None) -> tuple[Any, Any]:
    from bentoml._internal.cloud.bento import BentoAPI
    from bentoml._internal.cloud.model import ModelAPI

    return BentoAPI(cloud.rest, quiet_spinner(progress)), ModelAPI(cloud.rest, quiet_spinner(progress))


def _models(bento: Any) -> list[Any]:
    """Tags of the models that a cloud keeps for a Bento; those of a hub are taken from there."""
    return sorted({str(item.tag) for item in bento.info.all_models if item.registry != "huggingface"})


@contextmanager
def _client_errors(cloud: Cloud, tag: str) -> Iterator[None]:
    import httpx
    from bentoml.exceptions import BentoMLException

    try:
        yield
    except (BentoMLException, httpx.HTTPError) as error:
        raise CloudError(f"{cloud.name} does not give Bento {tag}: {error}") from error
