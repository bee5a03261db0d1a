"""find what refers to a flight, so that flights which nothing refers to can go"""

from alembic import op

revision: str = "8c41f0d27a6e"
down_revision: str | None = "5d0a7c41e8b3"
branch_labels: str | None = None
depends_on: str | None = None

_TABLES = ("seat_claims", "seat_assignments", "booking_extras", "booking_services", "coupons")


def upgrade() -> None:
    with op.get_context().autocommit_block():
        for table in _TABLES:
            op.create_index(
                f"ix_{table}_flight_id",
                table,
                ["flight_id"],
                postgresql_concurrently=True,
                if_not_exists=True,
            )


def downgrade() -> None:
    with op.get_context().autocommit_block():
        for table in _TABLES:
            op.drop_index(f"ix_{table}_flight_id", table, postgresql_concurrently=True, if_exists=True)
