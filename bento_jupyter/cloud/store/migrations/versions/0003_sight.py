"""Why a revision was made, how often a deployment was restarted, and which revision an event is about."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("deployments", sa.Column("restarts", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("revisions", sa.Column("note", sa.String(), nullable=False, server_default=""))
    op.add_column("events", sa.Column("reason", sa.String(), nullable=False, server_default=""))
    op.add_column("events", sa.Column("revision", sa.Integer()))
    op.create_index("ix_events_name", "events", ["name", "id"])


def downgrade() -> None:
    op.drop_index("ix_events_name", "events")
    op.drop_column("events", "revision")
    op.drop_column("events", "reason")
    op.drop_column("revisions", "note")
    op.drop_column("deployments", "restarts")
