"""find what refers to a flight, so that flights which nothing refers to can go; count bookings by their state"""

from alembic import op

revision: str = "8c41f0d27a6e"
down_revision: str | None = "7c3f9e2ab451"
branch_labels: str | None = None
depends_on: str | None = None

_INDICES = {
    "bookings": "status",
    "seat_claims": "flight_id",
    "seat_assignments": "flight_id",
    "booking_extras": "flight_id",
    "booking_services": "flight_id",
    "coupons": "flight_id",
}


def upgrade() -> None:
    with op.get_context().autocommit_block():
        for table, column in _INDICES.items():
            op.create_index(
                f"ix_{table}_{column}",
                table,
                [column],
                postgresql_concurrently=True,
                if_not_exists=True,
            )


def downgrade() -> None:
    with op.get_context().autocommit_block():
        for table, column in _INDICES.items():
            op.drop_index(f"ix_{table}_{column}", table, postgresql_concurrently=True, if_exists=True)
