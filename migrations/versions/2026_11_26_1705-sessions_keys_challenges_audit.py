"""Sessions, keys, challenges, a second factor, counted attempts, the audit log and erasures."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "c35116f429b2"
down_revision: str | None = "8d2f6b0c4a17"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# Who is signed in stays so: a family of refresh tokens is the session that it was all along.
_FAMILIES_AS_SESSIONS = """
    INSERT INTO sessions (id, user_id, created_at, last_used_at, expires_at, revoked_at, revoked_reason)
    SELECT family_id, user_id, min(created_at), max(created_at), max(expires_at), max(revoked_at),
           CASE WHEN max(revoked_at) IS NOT NULL THEN 'logout' END
    FROM refresh_tokens GROUP BY family_id, user_id
"""
_ERASED = (
    "erased_at IS NULL OR (email = 'erased-' || id || '@erased.invalid' AND full_name = ''"
    " AND password_hash = '' AND totp_secret IS NULL)"
)
# Beat makes the months that follow. What no month is there for goes to the rest, so that nothing waits for Beat.
_MONTH = """
    DO $$ DECLARE begins timestamptz := date_trunc('month', now(), 'UTC') + interval '{month} month'; BEGIN
        EXECUTE format('CREATE TABLE audit_log_%s PARTITION OF audit_log FOR VALUES FROM (%L) TO (%L)',
                       to_char(begins AT TIME ZONE 'UTC', 'YYYY_MM'), begins,
                       date_trunc('month', begins + interval '32 days', 'UTC'));
    END $$
"""


def upgrade() -> None:
    op.create_table(
        "attempts",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("policy", sa.String(length=32), nullable=False),
        sa.Column("caller", sa.LargeBinary(), nullable=False),
        sa.Column(
            "at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempts")),
    )
    op.create_index(op.f("ix_attempts_at"), "attempts", ["at"], unique=False)
    op.create_index("ix_attempts_recent", "attempts", ["policy", "caller", "at"], unique=False)
    op.create_table(
        "audit_log",
        sa.Column("id", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("action", sa.String(length=64), nullable=False),
        sa.Column("actor_kind", sa.String(length=8), nullable=False),
        sa.Column("actor", sa.Uuid(), nullable=True),
        sa.Column("subject", sa.String(length=100), nullable=True),
        sa.Column("network", sa.String(length=64), nullable=True),
        sa.Column("request_id", sa.String(length=64), nullable=True),
        sa.Column("data", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.CheckConstraint(
            "actor_kind IN ('user', 'admin', 'api_key', 'guest', 'operator', 'system', 'nobody')",
            name=op.f("ck_audit_log_known_actor"),
        ),
        sa.PrimaryKeyConstraint("id", "at", name=op.f("pk_audit_log")),
        postgresql_partition_by="RANGE (at)",
    )
    op.create_index("ix_audit_log_action", "audit_log", ["action", "at"], unique=False)
    op.create_index("ix_audit_log_actor", "audit_log", ["actor", "at"], unique=False)
    op.create_index("ix_audit_log_subject", "audit_log", ["subject", "at"], unique=False)
    op.create_table(
        "erasures",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_erasures")),
    )
    op.create_table(
        "revocations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_revocations")),
    )
    op.create_index(op.f("ix_revocations_at"), "revocations", ["at"], unique=False)
    op.create_table(
        "api_keys",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("mode", sa.String(length=4), nullable=False),
        sa.Column("shown", sa.String(length=20), nullable=False),
        sa.Column("key_hash", sa.LargeBinary(), nullable=False),
        sa.Column("scopes", sa.ARRAY(sa.String()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("mode IN ('test', 'live')", name=op.f("ck_api_keys_known_mode")),
        sa.CheckConstraint("cardinality(scopes) > 0", name=op.f("ck_api_keys_has_scopes")),
        sa.CheckConstraint("octet_length(key_hash) = 32", name=op.f("ck_api_keys_is_a_hash")),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_api_keys_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("key_hash", name=op.f("uq_api_keys_key_hash")),
    )
    op.create_index(op.f("ix_api_keys_user_id"), "api_keys", ["user_id"], unique=False)
    op.create_table(
        "challenges",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("purpose", sa.String(length=16), nullable=False),
        sa.Column("email", sa.String(), nullable=True),
        sa.Column("nonce", sa.LargeBinary(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("password_changed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "purpose IN ('verify_email', 'reset_password', 'change_email', 'login_code')",
            name=op.f("ck_challenges_known_purpose"),
        ),
        sa.CheckConstraint("octet_length(token_hash) = 32", name=op.f("ck_challenges_is_a_hash")),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_challenges_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_challenges")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_challenges_token_hash")),
    )
    op.create_index(op.f("ix_challenges_created_at"), "challenges", ["created_at"], unique=False)
    op.create_index("ix_challenges_user_id_purpose", "challenges", ["user_id", "purpose"], unique=False)
    op.create_table(
        "recovery_codes",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_recovery_codes_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", "code_hash", name=op.f("pk_recovery_codes")),
    )
    op.create_table(
        "sessions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("user_agent", sa.String(length=200), nullable=True),
        sa.Column("network", sa.String(length=64), nullable=True),
        sa.Column("second_factor_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column(
            "last_used_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_reason", sa.String(length=20), nullable=True),
        sa.CheckConstraint(
            "(revoked_at IS NULL) = (revoked_reason IS NULL)", name=op.f("ck_sessions_revoked_for_a_reason")
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_sessions_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sessions")),
    )
    op.create_index(op.f("ix_sessions_expires_at"), "sessions", ["expires_at"], unique=False)
    op.create_index(op.f("ix_sessions_user_id"), "sessions", ["user_id"], unique=False)
    op.create_index(
        "ix_sessions_user_id_live",
        "sessions",
        ["user_id"],
        unique=False,
        postgresql_where=sa.text("revoked_at IS NULL"),
    )
    op.drop_index("ix_login_failures_recent", table_name="login_failures")
    op.drop_table("login_failures")
    op.execute(_FAMILIES_AS_SESSIONS)
    op.alter_column("refresh_tokens", "family_id", new_column_name="session_id")
    op.add_column("refresh_tokens", sa.Column("parent_id", sa.BigInteger(), nullable=True))
    op.add_column("refresh_tokens", sa.Column("child_sealed", sa.LargeBinary(), nullable=True))
    op.drop_column("refresh_tokens", "user_id")
    op.execute("ALTER INDEX ix_refresh_tokens_family_id RENAME TO ix_refresh_tokens_session_id")
    op.create_index(
        "uq_refresh_tokens_live",
        "refresh_tokens",
        ["session_id"],
        unique=True,
        postgresql_where=sa.text("rotated_at IS NULL AND revoked_at IS NULL"),
    )
    op.create_foreign_key(
        op.f("fk_refresh_tokens_session_id"),
        "refresh_tokens",
        "sessions",
        ["session_id"],
        ["id"],
        ondelete="CASCADE",
    )
    op.create_check_constraint("is_a_hash", "refresh_tokens", "octet_length(token_hash) = 32")
    op.add_column(
        "users",
        sa.Column(
            "password_changed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
    )
    op.add_column("users", sa.Column("totp_secret", sa.String(), nullable=True))
    op.add_column("users", sa.Column("totp_confirmed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("users", sa.Column("totp_last_step", sa.BigInteger(), nullable=True))
    op.add_column("users", sa.Column("suspended_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("users", sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True))
    op.create_check_constraint(
        "totp_has_a_secret", "users", "totp_confirmed_at IS NULL OR totp_secret IS NOT NULL"
    )
    op.create_check_constraint("erased_without_identity", "users", _ERASED)
    op.execute("UPDATE users SET password_changed_at = created_at")
    for month in (0, 1):
        op.execute(_MONTH.format(month=month))
    op.execute("CREATE TABLE audit_log_rest PARTITION OF audit_log DEFAULT")
    op.execute(
        "CREATE TRIGGER only_added BEFORE UPDATE OR DELETE ON audit_log "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    op.drop_constraint(op.f("ck_users_erased_without_identity"), "users")
    op.drop_constraint(op.f("ck_users_totp_has_a_secret"), "users")
    for column in (
        "erased_at",
        "suspended_at",
        "totp_last_step",
        "totp_confirmed_at",
        "totp_secret",
        "password_changed_at",
    ):
        op.drop_column("users", column)
    op.drop_constraint(op.f("ck_refresh_tokens_is_a_hash"), "refresh_tokens")
    op.drop_constraint(op.f("fk_refresh_tokens_session_id"), "refresh_tokens", type_="foreignkey")
    op.drop_index("uq_refresh_tokens_live", table_name="refresh_tokens")
    op.execute("ALTER INDEX ix_refresh_tokens_session_id RENAME TO ix_refresh_tokens_family_id")
    op.drop_column("refresh_tokens", "child_sealed")
    op.drop_column("refresh_tokens", "parent_id")
    op.alter_column("refresh_tokens", "session_id", new_column_name="family_id")
    op.add_column("refresh_tokens", sa.Column("user_id", sa.Uuid(), nullable=True))
    op.execute("UPDATE refresh_tokens t SET user_id = s.user_id FROM sessions s WHERE s.id = t.family_id")
    op.alter_column("refresh_tokens", "user_id", nullable=False)
    op.create_foreign_key(
        op.f("fk_refresh_tokens_user_id"), "refresh_tokens", "users", ["user_id"], ["id"], ondelete="CASCADE"
    )
    op.create_index(op.f("ix_refresh_tokens_user_id"), "refresh_tokens", ["user_id"])
    op.create_table(
        "login_failures",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("email", sa.String(), nullable=False),
        sa.Column("client", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_login_failures")),
    )
    op.create_index("ix_login_failures_recent", "login_failures", ["email", "at"])
    op.drop_index(
        "ix_sessions_user_id_live", table_name="sessions", postgresql_where=sa.text("revoked_at IS NULL")
    )
    op.drop_index(op.f("ix_sessions_user_id"), table_name="sessions")
    op.drop_index(op.f("ix_sessions_expires_at"), table_name="sessions")
    op.drop_table("sessions")
    op.drop_table("recovery_codes")
    op.drop_index("ix_challenges_user_id_purpose", table_name="challenges")
    op.drop_index(op.f("ix_challenges_created_at"), table_name="challenges")
    op.drop_table("challenges")
    op.drop_index(op.f("ix_api_keys_user_id"), table_name="api_keys")
    op.drop_table("api_keys")
    op.drop_index(op.f("ix_revocations_at"), table_name="revocations")
    op.drop_table("revocations")
    op.drop_table("erasures")
    op.drop_index("ix_audit_log_subject", table_name="audit_log")
    op.drop_index("ix_audit_log_actor", table_name="audit_log")
    op.drop_index("ix_audit_log_action", table_name="audit_log")
    op.drop_table("audit_log")
    op.drop_index("ix_attempts_recent", table_name="attempts")
    op.drop_index(op.f("ix_attempts_at"), table_name="attempts")
    op.drop_table("attempts")
