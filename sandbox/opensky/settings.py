"""What can be switched, checked before anything changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from sandbox.world import extras

CHOICES: dict[str, tuple[str, ...]] = {
    "coverage": ("near_airports", "everywhere"),
    "anonymous_time": ("refused", "ignored"),
    "track_callsign_key": ("callsign", "calllsign"),
}
RANGES = {"token_seconds": (1, 86_400), "extra_aircraft": (0, extras.MOST)}


@dataclass(frozen=True, slots=True)
class Settings:
    """What the vendor does differently from day to day, or says differently in two places."""

    token_seconds: int = 1800
    rate_limit_headers: bool = True
    coverage: str = CHOICES["coverage"][0]
    anonymous_time: str = CHOICES["anonymous_time"][0]
    track_callsign_key: str = CHOICES["track_callsign_key"][0]
    extra_aircraft: int = 0

    def changed(self, body: Mapping[str, Any]) -> Settings:
        """These settings with some of them changed; a value that makes no sense changes nothing."""
        for name, value in body.items():
            _check(name, value)
        return replace(self, **body)

    def shown(self) -> dict[str, Any]:
        return {**asdict(self), "choices": CHOICES}


NAMES = frozenset(field.name for field in fields(Settings))


def _check(name: str, value: Any) -> None:
    if name in CHOICES:
        if value not in CHOICES[name]:
            raise ValueError(f"{name} must be one of {list(CHOICES[name])}")
    elif name in RANGES:
        least, most = RANGES[name]
        if type(value) is not int or not least <= value <= most:
            raise ValueError(f"{name} must be a whole number from {least} to {most}")
    elif type(value) is not bool:
        raise ValueError(f"{name} must be true or false")
