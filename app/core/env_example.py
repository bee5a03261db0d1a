"""`.env.example`, made from the settings, so that it cannot tell of others."""

from app.core.config import Settings


def text() -> str:
    """The text of `.env.example`, made from the fields above; every line is a comment until it is changed."""
    lines = ["# Copy to .env and uncomment what you change. Made by `python -m app env-example`.", ""]
    for name, field in Settings.model_fields.items():
        blank = name in ("jwt_secret", "secret_key") or field.default is None
        default = (
            "" if blank else str(field.default).lower() if isinstance(field.default, bool) else field.default
        )
        lines += [f"# {field.description}", f"#{name.upper()}={default}", ""]
    return "\n".join(lines).rstrip()
