"""A migration that a test writes after the last one."""

# To be filled with the `head` that it follows, and what it `does`.
ONE_MORE = """
import sqlalchemy as sa
from alembic import op

revision: str = "one_more"
down_revision: str | None = "{head}"
branch_labels: str | None = None
depends_on: str | None = None

def upgrade() -> None:
    {does}

def downgrade() -> None:
    pass
"""
