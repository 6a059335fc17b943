"""Tokens: the owner's, and those that were given out. Only hashes of the latter are kept."""

from __future__ import annotations

import hashlib
import hmac
import math
import secrets
from collections.abc import Collection
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from typing import Literal

from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from ...errors import InvalidRequestError, NotFoundError
from ...home import Home, write_private
from ...spec import utc_now
from .database import Database
from .records import ApiTokenRecord
from .tables import ApiTokenRow

__all__ = ["ENDPOINT_SCOPES", "OWNER_SCOPE", "SCOPES", "Area", "Tokens", "scopes_for"]

#: The scopes of BentoCloud's API tokens (`bentoml api-token create --scope`).
SCOPES = ("api", "read_organization", "write_organization", "read_cluster", "write_cluster")
#: May do everything, give out tokens too.
OWNER_SCOPE = "api"
#: "Protected Endpoint Access" of BentoCloud's console: may call the endpoints of protected deployments.
ENDPOINT_SCOPES = frozenset({"api", "read_cluster", "write_cluster"})

#: What a scope is about: the organization has Bentos, models and secrets, the cluster what runs.
Area = Literal["organization", "cluster"]


def scopes_for(area: Area, *, changes: bool) -> frozenset[str]:
    """The scopes of which a token needs one.

    Args:
        area: What it is about.
        changes: It changes something. Who may change things may look at them, too.

    Example:
        >>> sorted(scopes_for("cluster", changes=True))
        ['api', 'write_cluster']
    """
    return frozenset({OWNER_SCOPE, f"write_{area}"} | (set() if changes else {f"read_{area}"}))


class Tokens:
    """Who may do what.

    Args:
        database: Where tokens that were given out are kept.
        home: Where the owner's token is; it is made when missing.

    Attributes:
        signing_key: Signs what this cloud gives out; it changes with the owner's token.
    """

    def __init__(self, database: Database, home: Home) -> None:
        self._database = database
        try:
            owner = home.token_file.read_text(encoding="ascii").strip()
        except FileNotFoundError:
            owner = ""
        if not owner:
            owner = secrets.token_urlsafe(32)
            write_private(home.token_file, owner)
        self._owner = ApiTokenRecord(
            uid="owner",
            name="owner",
            description="the owner's token",
            scopes=("api",),
            ending=owner[-4:],
            created_at=datetime.fromtimestamp(home.token_file.stat().st_mtime, timezone.utc),
            expired_at=None,
            last_used_at=None,
        )
        self._owner_hash = _sha256(owner)
        self.signing_key = hashlib.sha256(b"bento_jupyter signing key\0" + owner.encode()).digest()

    def verify(self, token: str) -> ApiTokenRecord | None:
        """Whose token this is; None when nobody's, or it has expired.

        What is looked up is the token's hash: how long that takes tells nothing of any token.
        """
        presented = _sha256(token)
        if hmac.compare_digest(presented, self._owner_hash):
            return self._owner
        now = utc_now()
        with self._database.read() as session:
            found = session.scalars(select(ApiTokenRow).where(ApiTokenRow.sha256 == presented)).one_or_none()
        if found is None or not hmac.compare_digest(presented, found.sha256) or _expired(found, now):
            return None
        if found.last_used_at is None or now - found.last_used_at > timedelta(minutes=1):
            with suppress(OperationalError):  # a full disk: to be let in is more important
                self._note_use(found.uid, now)
        return _record(found)

    def hashes(self) -> list[str]:
        """SHA-256 (hex) of the tokens that may call protected endpoints now."""
        now = utc_now()
        with self._database.read() as session:
            given_out = [
                row.sha256
                for row in session.scalars(select(ApiTokenRow).order_by(ApiTokenRow.created_at))
                if ENDPOINT_SCOPES & set(row.scopes) and not _expired(row, now)
            ]
        return [self._owner_hash, *given_out]

    def seconds_to_expiry(self) -> float:
        """Seconds until the next token ends; infinite when none does."""
        now = utc_now()
        with self._database.read() as session:
            ends = session.scalar(
                select(func.min(ApiTokenRow.expired_at)).where(ApiTokenRow.expired_at > now)
            )
        return math.inf if ends is None else (ends - now).total_seconds()

    def all(self) -> list[ApiTokenRecord]:
        """The tokens that were given out, newest first."""
        with self._database.read() as session:
            return [
                _record(row)
                for row in session.scalars(select(ApiTokenRow).order_by(ApiTokenRow.created_at.desc()))
            ]

    def get(self, uid: str) -> ApiTokenRecord | None:
        """The token with this uid."""
        with self._database.read() as session:
            row = session.get(ApiTokenRow, uid)
            return None if row is None else _record(row)

    def create(
        self,
        *,
        name: str,
        description: str = "",
        scopes: Collection[str] = ("api",),
        expired_at: datetime | None = None,
    ) -> tuple[ApiTokenRecord, str]:
        """Make a token.

        Args:
            name: What it is for.
            description: In words.
            scopes: What it may do, out of `SCOPES`.
            expired_at: When it ends, with zone; None = never.

        Returns:
            Its record, and its value, which is not kept.

        Raises:
            InvalidRequestError: A scope that there is not, or it would be expired at once.
        """
        unknown = sorted(set(scopes) - set(SCOPES))
        if unknown:
            raise InvalidRequestError(f"there is no scope {unknown[0]!r}; there are: {', '.join(SCOPES)}")
        if not scopes:
            raise InvalidRequestError(f"a token needs a scope; there are: {', '.join(SCOPES)}")
        if expired_at is not None and expired_at <= utc_now():
            raise InvalidRequestError(
                f"the token would be expired at once: {expired_at:%Y-%m-%d %H:%M} has passed"
            )
        value = secrets.token_urlsafe(32)
        with self._database.write() as session:
            row = ApiTokenRow(
                name=name,
                description=description,
                scopes=[scope for scope in SCOPES if scope in scopes],
                sha256=_sha256(value),
                ending=value[-4:],
                expired_at=expired_at,
            )
            session.add(row)
            session.flush()
            return _record(row), value

    def delete(self, uid: str) -> None:
        """Make a token worthless.

        Raises:
            NotFoundError: There is none with this uid.
        """
        with self._database.write() as session:
            row = session.get(ApiTokenRow, uid)
            if row is None:
                raise NotFoundError(f"there is no API token {uid!r}")
            session.delete(row)

    def _note_use(self, uid: str, now: datetime) -> None:
        with self._database.write() as session:
            row = session.get(ApiTokenRow, uid)
            if row is not None:
                row.last_used_at = now


def _sha256(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _expired(row: ApiTokenRow, now: datetime) -> bool:
    return row.expired_at is not None and row.expired_at <= now


def _record(row: ApiTokenRow) -> ApiTokenRecord:
    return ApiTokenRecord(
        uid=row.uid,
        name=row.name,
        description=row.description,
        scopes=tuple(row.scopes),
        ending=row.ending,
        created_at=row.created_at,
        expired_at=row.expired_at,
        last_used_at=row.last_used_at,
    )
