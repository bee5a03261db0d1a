"""What vendors were asked, so that a test can say "exactly one call". Keys are never written down."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass

KEPT = 10_000


@dataclass(frozen=True, slots=True)
class Entry:
    """One request as a vendor saw it; `status` is None when nothing was sent."""

    at: str
    method: str
    path: str
    params: dict[str, str]
    profile: str
    status: int | None
    fault: str | None


class Journal:
    """Append-only and bounded: the counts go on when old entries drop out."""

    def __init__(self) -> None:
        self.entries: deque[Entry] = deque(maxlen=KEPT)
        self.counts: Counter[str] = Counter()

    def write(self, entry: Entry) -> None:
        self.entries.append(entry)
        self.counts[entry.path] += 1

    def clear(self) -> None:
        self.entries.clear()
        self.counts.clear()
