"""How an image looks in a cell."""

from __future__ import annotations

from typing import Any

from ..spec import utc_now
from ..views import ImageView
from .tables import card_bundle
from .words import duration, size

__all__ = ["KINDS", "ImageCard"]

#: Kinds of images in words.
KINDS = {"environment": "Python packages", "oci": "OCI image"}
TONES = {"success": "good", "failed": "bad"}


class ImageCard(ImageView):
    """The image of a deployment, as a cell shows it.

    Attributes:
        deployment: Its name.
        pushed_to: Where the image was sent; "" = nowhere.
    """

    deployment: str
    pushed_to: str = ""

    def __repr__(self) -> str:
        text: str = self._repr_mimebundle_()["text/plain"]
        return text

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        """See IPython's display protocol."""
        rows = [
            ("kind", KINDS.get(self.kind, self.kind)),
            ("why", self.reason),
            ("image", self.reference),
            ("digest", self.digest),
            ("size", "" if self.size_bytes is None else size(self.size_bytes)),
            ("built", self._built),
            ("pushed to", self.pushed_to),
            ("key", self.key),
            ("log", self.log),
        ]
        title, data = f"Image of {self.deployment}", self.model_dump(mode="json")
        return card_bundle(title, self.status, rows, data, tone=TONES.get(self.status, ""), at=utc_now())

    @property
    def _built(self) -> str:
        by = f" by {self.builder}" if self.builder else ""
        if self.seconds is None:
            return by.strip()
        return f"was there already{by}" if self.cached else f"in {duration(self.seconds)}{by}"
