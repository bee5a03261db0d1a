"""The key of a Google service account, as a setting gives it: as JSON, or as the path of the file that has it."""

import json
from functools import lru_cache
from pathlib import Path

_NEEDED = {"project_id", "client_email", "private_key", "token_uri"}


@lru_cache(maxsize=4)
def read(told: str) -> dict[str, str]:
    """Its fields; none where it cannot be read, or where one is missing that is needed."""
    try:
        fields = json.loads(told if told.lstrip().startswith("{") else Path(told).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return fields if isinstance(fields, dict) and fields.keys() >= _NEEDED else {}
