"""Deployments as they are wanted, and their revisions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from ...errors import ConflictError, NotFoundError
from ...spec import utc_now
from .database import Database
from .records import DeploymentRecord, RevisionRecord
from .secrets import require_secrets
from .tables import DeploymentRow, RevisionRow

__all__ = ["Deployments"]


class Deployments:
    """All deployments of the cloud; a deleted one is gone.

    Args:
        database: Where they are kept.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, name: str) -> DeploymentRecord | None:
        """The deployment of this name."""
        found = self._select(DeploymentRow.name == name)
        return found[0] if found else None

    def require(self, name: str) -> DeploymentRecord:
        """The deployment of this name.

        Raises:
            NotFoundError: There is none.
        """
        found = self.get(name)
        if found is None:
            raise _unknown(name)
        return found

    def all(self) -> list[DeploymentRecord]:
        """All deployments, oldest first."""
        return self._select()

    def page(self, start: int, count: int, search: str = "") -> tuple[list[DeploymentRecord], int]:
        """Some deployments, newest first, and how many there are in all.

        Args:
            start: How many newer ones to leave out.
            count: How many at most.
            search: Only those with this in their name.
        """
        named = [DeploymentRow.name.contains(search, autoescape=True)] if search else []
        newest = DeploymentRow.created_at.desc()
        # First which ones, then all of them: else the revisions of all deployments would be read and sorted.
        part = select(DeploymentRow.uid).where(*named).order_by(newest).offset(start).limit(count)
        query = _ACTIVE.where(DeploymentRow.uid.in_(part)).order_by(newest)
        with self._database.read() as session:
            total = session.scalar(select(func.count()).select_from(DeploymentRow).where(*named)) or 0
            return [_record(*row) for row in session.execute(query)], total

    def count(self, *, terminated: bool) -> int:
        """How many are terminated, or are not."""
        query = select(func.count()).where(DeploymentRow.terminated.is_(terminated))
        with self._database.read() as session:
            return session.scalar(query) or 0

    def ports(self) -> set[int]:
        """The ports of all deployments."""
        with self._database.read() as session:
            return set(session.scalars(select(DeploymentRow.port)))

    def create(
        self,
        *,
        name: str,
        bento: str,
        config: Mapping[str, Any],
        port: int,
        creator: str,
        dev: bool = False,
    ) -> DeploymentRecord:
        """Make a deployment with its first revision.

        Args:
            name: Its name.
            bento: Tag `name:version`.
            config: Wire config without gaps.
            port: Its port.
            creator: Who creates it.
            dev: It is a codespace.

        Raises:
            ConflictError: The name is taken.
            InvalidRequestError: A secret that there is not, or that does not go with another one.
        """
        with self._database.write() as session:
            if _find(session, name) is not None:
                raise ConflictError(
                    f"there is a deployment {name!r} already",
                    hint="update or delete it, or choose another name",
                )
            row = DeploymentRow(name=name, port=port, creator=creator, dev=dev)
            session.add(row)
            session.flush()
            _add_revision(session, row, bento, config)
        return self.require(name)

    def update(self, name: str, *, bento: str, config: Mapping[str, Any], note: str = "") -> DeploymentRecord:
        """Give a deployment a new revision, and start it if it was terminated.

        Args:
            name: Its name.
            bento: Tag `name:version`.
            config: Wire config without gaps.
            note: Why, in words.

        Raises:
            NotFoundError: There is none of this name.
            InvalidRequestError: A secret that there is not, or that does not go with another one.
        """
        with self._database.write() as session:
            row = _require(session, name)
            row.terminated = False
            _add_revision(session, row, bento, config, note)
        return self.require(name)

    def revisions(self, name: str) -> list[RevisionRecord]:
        """All revisions of a deployment, oldest first.

        Raises:
            NotFoundError: There is none of this name.
        """
        with self._database.read() as session:
            row = _require(session, name)
            found = session.scalars(
                select(RevisionRow).where(RevisionRow.deployment_uid == row.uid).order_by(RevisionRow.number)
            )
            return [_revision(each) for each in found]

    def restart(self, name: str) -> DeploymentRecord:
        """Want all its instances replaced by new ones; a terminated deployment is started.

        Raises:
            NotFoundError: There is none of this name.
        """
        with self._database.write() as session:
            row = _require(session, name)
            row.terminated = False
            row.restarts += 1
            row.updated_at = utc_now()
        return self.require(name)

    def terminate(self, name: str) -> DeploymentRecord:
        """Want nothing of it to run; its revisions stay.

        Raises:
            NotFoundError: There is none of this name.
        """
        return self._set_terminated(name, True)

    def start(self, name: str) -> DeploymentRecord:
        """Want a terminated deployment to run again, as it was.

        Raises:
            NotFoundError: There is none of this name.
        """
        return self._set_terminated(name, False)

    def delete(self, name: str) -> None:
        """Forget it, with its revisions.

        Raises:
            NotFoundError: There is none of this name.
        """
        with self._database.write() as session:
            session.delete(_require(session, name))

    def _set_terminated(self, name: str, terminated: bool) -> DeploymentRecord:
        with self._database.write() as session:
            row = _require(session, name)
            if row.terminated != terminated:
                row.terminated = terminated
                row.updated_at = utc_now()
        return self.require(name)

    def _select(self, *conditions: Any) -> list[DeploymentRecord]:
        query = _ACTIVE.where(*conditions).order_by(DeploymentRow.created_at)
        with self._database.read() as session:
            return [_record(deployment, revision) for deployment, revision in session.execute(query)]


#: Deployments with their active revisions.
_ACTIVE = (
    select(DeploymentRow, RevisionRow)
    .join(RevisionRow, RevisionRow.deployment_uid == DeploymentRow.uid)
    .where(RevisionRow.active)
)


def _find(session: Session, name: str) -> DeploymentRow | None:
    return session.scalars(select(DeploymentRow).where(DeploymentRow.name == name)).one_or_none()


def _require(session: Session, name: str) -> DeploymentRow:
    row = _find(session, name)
    if row is None:
        raise _unknown(name)
    return row


def _unknown(name: str) -> NotFoundError:
    return NotFoundError(f"there is no deployment {name!r}")


def _add_revision(
    session: Session, row: DeploymentRow, bento: str, config: Mapping[str, Any], note: str = ""
) -> None:
    require_secrets(session, config)
    of_this = RevisionRow.deployment_uid == row.uid
    last = session.scalar(
        select(RevisionRow.number).where(of_this).order_by(RevisionRow.number.desc()).limit(1)
    )
    session.execute(update(RevisionRow).where(of_this).values(active=False))
    session.add(
        RevisionRow(
            deployment_uid=row.uid, number=(last or 0) + 1, bento=bento, config=dict(config), note=note
        )
    )
    row.updated_at = utc_now()


def _revision(row: RevisionRow) -> RevisionRecord:
    return RevisionRecord(
        uid=row.uid,
        number=row.number,
        bento=row.bento,
        config=row.config,
        active=row.active,
        note=row.note,
        created_at=row.created_at,
    )


def _record(deployment: DeploymentRow, revision: RevisionRow) -> DeploymentRecord:
    return DeploymentRecord(
        uid=deployment.uid,
        name=deployment.name,
        port=deployment.port,
        bento=revision.bento,
        config=revision.config,
        dev=deployment.dev,
        terminated=deployment.terminated,
        revision=revision.number,
        revision_uid=revision.uid,
        created_at=deployment.created_at,
        updated_at=deployment.updated_at,
        creator=deployment.creator,
        restarts=deployment.restarts,
    )
