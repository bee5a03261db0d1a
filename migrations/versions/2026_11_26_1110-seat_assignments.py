"""Which passenger sits where on a flight."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "b3d07a51c4e8"
down_revision: str | None = "4481c9066c41"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "seat_assignments",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("flight_id", sa.BigInteger(), nullable=False),
        sa.Column("seat", sa.String(length=4), nullable=False),
        sa.Column("claim_id", sa.BigInteger(), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("infant_block", sa.String(length=8), nullable=True),
        sa.Column("assigned_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("seat ~ '^[1-9][0-9]{0,2}[A-HJ-Z]$'", name=op.f("ck_seat_assignments_seat_shape")),
        sa.CheckConstraint("position >= 0", name=op.f("ck_seat_assignments_position_not_negative")),
        sa.ForeignKeyConstraint(["claim_id"], ["seat_claims.id"], name=op.f("fk_seat_assignments_claim_id")),
        sa.ForeignKeyConstraint(["flight_id"], ["flights.id"], name=op.f("fk_seat_assignments_flight_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seat_assignments")),
    )
    kept = sa.text("released_at IS NULL")
    for name, columns, where in (
        ("seat", ["flight_id", "seat"], kept),
        ("passenger", ["claim_id", "position"], kept),
        (
            "infant",
            ["flight_id", "infant_block"],
            sa.text("released_at IS NULL AND infant_block IS NOT NULL"),
        ),
    ):
        op.create_index(
            f"uq_seat_assignments_{name}", "seat_assignments", columns, unique=True, postgresql_where=where
        )


def downgrade() -> None:
    op.drop_table("seat_assignments")
