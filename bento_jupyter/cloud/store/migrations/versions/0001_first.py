"""The first schema."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    for repositories, packages in (("bento_repositories", "bentos"), ("model_repositories", "models")):
        op.create_table(
            repositories,
            sa.Column("name", sa.String(), primary_key=True),
            sa.Column("uid", sa.String(), nullable=False, unique=True),
            sa.Column("description", sa.String(), nullable=False),
            sa.Column("created_at", sa.DateTime(), nullable=False),
        )
        op.create_table(
            packages,
            sa.Column("uid", sa.String(), primary_key=True),
            sa.Column("name", sa.String(), sa.ForeignKey(f"{repositories}.name"), nullable=False),
            sa.Column("version", sa.String(), nullable=False),
            sa.Column("description", sa.String(), nullable=False),
            sa.Column("manifest", sa.JSON(), nullable=False),
            sa.Column("labels", sa.JSON(), nullable=False),
            sa.Column("staged", sa.JSON(), nullable=False),
            sa.Column("upload_status", sa.String(), nullable=False),
            sa.Column("upload_reason", sa.String(), nullable=False),
            sa.Column("digest", sa.String(), nullable=False),
            sa.Column("size_bytes", sa.Integer(), nullable=False),
            sa.Column("build_at", sa.DateTime()),
            sa.Column("upload_started_at", sa.DateTime()),
            sa.Column("upload_finished_at", sa.DateTime()),
            sa.Column("created_at", sa.DateTime(), nullable=False),
            sa.Column("updated_at", sa.DateTime(), nullable=False),
            sa.UniqueConstraint("name", "version"),
        )
    op.create_table(
        "deployments",
        sa.Column("uid", sa.String(), primary_key=True),
        sa.Column("name", sa.String(), nullable=False, unique=True),
        sa.Column("port", sa.Integer(), nullable=False, unique=True),
        sa.Column("dev", sa.Boolean(), nullable=False),
        sa.Column("terminated", sa.Boolean(), nullable=False),
        sa.Column("creator", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
    )
    op.create_table(
        "revisions",
        sa.Column("uid", sa.String(), primary_key=True),
        sa.Column(
            "deployment_uid",
            sa.String(),
            sa.ForeignKey("deployments.uid", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("bento", sa.String(), nullable=False),
        sa.Column("config", sa.JSON(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.UniqueConstraint("deployment_uid", "number"),
    )
    op.create_index("ix_revisions_deployment_uid", "revisions", ["deployment_uid"])
    op.create_table(
        "events",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=True),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("message", sa.String(), nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "api_tokens",
        sa.Column("uid", sa.String(), primary_key=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False, unique=True),
        sa.Column("ending", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("expired_at", sa.DateTime()),
        sa.Column("last_used_at", sa.DateTime()),
    )


def downgrade() -> None:
    for table in (
        "api_tokens",
        "events",
        "revisions",
        "deployments",
        "models",
        "model_repositories",
        "bentos",
        "bento_repositories",
    ):
        op.drop_table(table)
