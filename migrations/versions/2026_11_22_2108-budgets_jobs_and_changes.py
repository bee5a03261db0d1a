"""Budgets of providers, jobs, what was announced of flights, and changes of schedules."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "e68b9cdcc961"
down_revision: str | None = "97a265253d20"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "provider_budgets",
        sa.Column("provider", sa.String(), nullable=False),
        sa.Column("budget", sa.String(), nullable=False),
        sa.Column("period_start", sa.DateTime(timezone=True), nullable=False),
        sa.Column("spent", sa.Integer(), server_default="0", nullable=False),
        sa.Column("background_spent", sa.Integer(), server_default="0", nullable=False),
        sa.CheckConstraint(
            "background_spent >= 0 AND background_spent <= spent",
            name=op.f("ck_provider_budgets_background_is_a_part"),
        ),
        sa.PrimaryKeyConstraint("provider", "budget", "period_start", name=op.f("pk_provider_budgets")),
    )
    op.create_table(
        "provider_endpoints",
        sa.Column("provider", sa.String(), nullable=False),
        sa.Column("endpoint", sa.String(), nullable=False),
        sa.Column("next_call_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("spacing_seconds", sa.Double(), server_default="0", nullable=False),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("paused_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("pause_reason", sa.String(), nullable=True),
        sa.Column("last_success_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_failure_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_failure", sa.String(), nullable=True),
        sa.Column("first_date", sa.Date(), nullable=True),
        sa.Column("last_date", sa.Date(), nullable=True),
        sa.Column("window_seen_on", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("provider", "endpoint", name=op.f("pk_provider_endpoints")),
    )
    op.create_table(
        "zone_rules",
        sa.Column("time_zone", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("time_zone", name=op.f("pk_zone_rules")),
    )
    op.create_table(
        "flight_changes",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("flight_id", sa.BigInteger(), nullable=False),
        sa.Column("materiality", sa.String(length=16), nullable=False),
        sa.Column("before", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("after", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["flight_id"], ["flights.id"], name=op.f("fk_flight_changes_flight_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_flight_changes")),
    )
    op.create_index(op.f("ix_flight_changes_flight_id"), "flight_changes", ["flight_id"], unique=False)
    op.create_index(
        "ix_flight_changes_waiting",
        "flight_changes",
        ["id"],
        unique=False,
        postgresql_where=sa.text("applied_at IS NULL"),
    )
    op.create_table(
        "jobs",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("only_one", sa.String(), nullable=True),
        sa.Column("status", sa.String(length=16), server_default="queued", nullable=False),
        sa.Column("arguments", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("requested_by", sa.Uuid(), nullable=True),
        sa.Column("done", sa.Integer(), server_default="0", nullable=False),
        sa.Column("total", sa.Integer(), nullable=True),
        sa.Column("cursor", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("result", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("error", sa.String(), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("not_before", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("lease_token", sa.Uuid(), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "status IN ('queued', 'running', 'succeeded', 'failed')", name=op.f("ck_jobs_known_status")
        ),
        sa.ForeignKeyConstraint(
            ["requested_by"], ["users.id"], name=op.f("fk_jobs_requested_by"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
    )
    op.create_index(
        "ix_jobs_waiting",
        "jobs",
        ["created_at"],
        unique=False,
        postgresql_where=sa.text("status IN ('queued', 'running')"),
    )
    op.create_index(
        "uq_jobs_only_one",
        "jobs",
        ["only_one"],
        unique=True,
        postgresql_where=sa.text("status IN ('queued', 'running')"),
    )
    op.create_table(
        "job_inputs",
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["job_id"], ["jobs.id"], name=op.f("fk_job_inputs_job_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("job_id", "position", name=op.f("pk_job_inputs")),
    )
    op.create_table(
        "job_items",
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("data", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(
            ["job_id"], ["jobs.id"], name=op.f("fk_job_items_job_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("job_id", "key", name=op.f("pk_job_items")),
    )
    op.create_table(
        "job_refusals",
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("message", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["job_id"], ["jobs.id"], name=op.f("fk_job_refusals_job_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("job_id", "line", name=op.f("pk_job_refusals")),
    )
    op.add_column("airlines", sa.Column("accounting_code", sa.String(length=3), nullable=True))
    op.add_column("airlines", sa.Column("source", sa.String(), server_default="packaged", nullable=False))
    # What is known so far was learned from flights; what is packaged is added at the next start.
    op.execute("UPDATE airlines SET source = 'schedule'")
    op.add_column(
        "airlines",
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
    )
    op.add_column("airports", sa.Column("source", sa.String(), server_default="packaged", nullable=False))
    op.add_column(
        "airports",
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
    )
    op.add_column(
        "booking_timeline", sa.Column("data", postgresql.JSONB(astext_type=sa.Text()), nullable=True)
    )
    op.add_column(
        "flights", sa.Column("schedule_source", sa.String(), server_default="aviationstack", nullable=False)
    )
    op.add_column("flights", sa.Column("missed", sa.SmallInteger(), server_default="0", nullable=False))
    op.add_column("flights", sa.Column("announced_status", sa.String(), nullable=True))
    op.add_column(
        "flights", sa.Column("announced_delay_minutes", sa.Integer(), server_default="0", nullable=False)
    )
    op.add_column("flights", sa.Column("announced_gate", sa.String(), nullable=True))
    op.add_column("flights", sa.Column("pending", sa.ARRAY(sa.String()), server_default="{}", nullable=False))
    op.add_column("flights", sa.Column("event_sequence", sa.Integer(), server_default="0", nullable=False))
    op.add_column("flights", sa.Column("next_look_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index("ix_flights_codeshares", "flights", ["codeshares"], unique=False, postgresql_using="gin")
    op.create_index(
        "ix_flights_aircraft",
        "flights",
        ["aircraft_icao24", "departure_date"],
        unique=False,
        postgresql_where=sa.text("aircraft_icao24 IS NOT NULL"),
    )
    op.add_column("schedule_boards", sa.Column("wanted_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "schedule_boards", sa.Column("next_offset", sa.Integer(), server_default="0", nullable=False)
    )
    op.add_column("schedule_boards", sa.Column("pass_started_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("schedule_boards", sa.Column("source", sa.String(), nullable=True))


def downgrade() -> None:
    op.drop_column("schedule_boards", "source")
    op.drop_column("schedule_boards", "pass_started_at")
    op.drop_column("schedule_boards", "next_offset")
    op.drop_column("schedule_boards", "wanted_at")
    op.drop_index("ix_flights_codeshares", table_name="flights", postgresql_using="gin")
    op.drop_index(
        "ix_flights_aircraft", table_name="flights", postgresql_where=sa.text("aircraft_icao24 IS NOT NULL")
    )
    op.drop_column("flights", "next_look_at")
    op.drop_column("flights", "event_sequence")
    op.drop_column("flights", "pending")
    op.drop_column("flights", "announced_gate")
    op.drop_column("flights", "announced_delay_minutes")
    op.drop_column("flights", "announced_status")
    op.drop_column("flights", "missed")
    op.drop_column("flights", "schedule_source")
    op.drop_column("airports", "updated_at")
    op.drop_column("airports", "source")
    op.drop_column("airlines", "updated_at")
    op.drop_column("airlines", "source")
    op.drop_column("airlines", "accounting_code")
    op.drop_table("job_refusals")
    op.drop_table("job_items")
    op.drop_table("job_inputs")
    op.drop_index(
        "uq_jobs_only_one", table_name="jobs", postgresql_where=sa.text("status IN ('queued', 'running')")
    )
    op.drop_index(
        "ix_jobs_waiting", table_name="jobs", postgresql_where=sa.text("status IN ('queued', 'running')")
    )
    op.drop_table("jobs")
    op.drop_index(
        "ix_flight_changes_waiting",
        table_name="flight_changes",
        postgresql_where=sa.text("applied_at IS NULL"),
    )
    op.drop_index(op.f("ix_flight_changes_flight_id"), table_name="flight_changes")
    op.drop_table("flight_changes")
    op.drop_table("zone_rules")
    op.drop_table("provider_endpoints")
    op.drop_table("provider_budgets")
    op.drop_column("booking_timeline", "data")
