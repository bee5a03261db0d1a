"""an index of coupons by flight is enough: their sequence at check-in has one, which begins with the flight"""

from alembic import op

revision: str = "b5e27d90c14f"
down_revision: str | None = "8c41f0d27a6e"
branch_labels: str | None = None
depends_on: str | None = None

_NAME = "ix_coupons_flight_id"


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.drop_index(_NAME, "coupons", postgresql_concurrently=True, if_exists=True)


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.create_index(_NAME, "coupons", ["flight_id"], postgresql_concurrently=True, if_not_exists=True)
