"""What jobs that fetch a provider's table have in common: gather it page by page, then compare it as a whole.

Nothing is put in force before the last page has come, so a table is never half replaced.
"""

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, field
from typing import Any

import orjson

from app.core.db import Row
from app.jobs.running import JobFailed, Running
from app.providers.base import ReferencePage

_MOST_PAGES = 500
# A cache in between may repeat a page; a vendor that has no more, or ignores the offset, repeats it for good.
_MOST_REPEATS = 3
# Fewer records than this, or than half of what came last time, are an outage that looks like an answer.
_HANDFUL = 5
_PLAUSIBLE_SHARE = 0.5
_EXAMPLES = 20

_START: Row = {
    "offset": 0,
    "pages": 0,
    "rows": 0,
    "dropped": 0,
    "refused": 0,
    "repeats": 0,
    "seen": [],
    "complete": False,
}


class Refused(Exception):
    """A record that is not used. The message never quotes it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass
class Gathered:
    """A provider's whole table: records by IATA code, how many had none, how many rows were no record at all."""

    records: dict[str, Row]
    refused: int
    dropped: int


@dataclass
class Diff:
    """What a gathered table means for the rows that are known."""

    gathered: Gathered
    added: dict[str, Row] = field(default_factory=dict)
    changed: dict[str, Row] = field(default_factory=dict)
    unchanged: int = 0
    refusals: list[Row] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    @property
    def usable(self) -> int:
        return len(self.added) + len(self.changed) + self.unchanged

    def result(self) -> Row:
        """The counts, with some codes of each."""
        return {
            "added": len(self.added),
            "changed": len(self.changed),
            "unchanged": self.unchanged,
            "refused": len(self.refusals) + self.gathered.refused,
            "missing": len(self.missing),
            "dropped": self.gathered.dropped,
            "examples": {
                "added": sorted(self.added)[:_EXAMPLES],
                "changed": sorted(self.changed)[:_EXAMPLES],
                "refused": [refusal["key"] for refusal in self.refusals[:_EXAMPLES]],
                "missing": self.missing[:_EXAMPLES],
            },
        }


async def gather(
    job: Running,
    fetch: Callable[[int], Awaitable[ReferencePage[Any]]],
    better: Callable[[Row, Row], bool],
) -> Gathered:
    """Every record of the table, each with its `line`; pages that were saved are not fetched again.

    Where records share a code, the first is kept unless a later one is `better` than it. Raises ProviderError.
    """
    kept = await job.staged()
    at = job.cursor or _START
    while not at["complete"]:
        if at["pages"] >= _MOST_PAGES:
            raise JobFailed("endless")
        page = await fetch(at["offset"])
        items, refusals = _sorted_out(page, at["rows"], kept, better)
        at = _after(page, at) | {"refused": at["refused"] + len(refusals)}
        kept |= items
        total = at["rows"] if at["complete"] else max(page.total or 0, at["rows"])
        await job.save(cursor=at, done=at["rows"], total=total, items=items, refusals=refusals)
    return Gathered(kept, at["refused"], at["dropped"])


def _sorted_out(
    page: ReferencePage[Any], rows_before: int, kept: dict[str, Row], better: Callable[[Row, Row], bool]
) -> tuple[dict[str, Row], list[Row]]:
    """The records of a page that are to be kept, and those without a code."""
    items: dict[str, Row] = {}
    refusals: list[Row] = []
    for line, record in enumerate(page.records, rows_before + 1):
        candidate = {**asdict(record), "line": line}
        key = candidate["iata"]
        rival = items.get(key) or kept.get(key)
        if key is None:
            refusals.append({"line": line, "code": "code_missing", "message": "It has no IATA code."})
        elif rival is None or better(candidate, rival):
            items[key] = candidate
    return items, refusals


def _after(page: ReferencePage[Any], at: Row) -> Row:
    """Where to go on. The total is not asked: vendors are wrong about it."""
    fingerprint = hashlib.sha256(orjson.dumps([asdict(record) for record in page.records])).hexdigest()[:12]
    # Pages of rows that no record could be made of all look the same.
    repeats = at["repeats"] + 1 if page.records and fingerprint in at["seen"] else 0
    empty = not page.records and not page.dropped
    return {
        "offset": at["offset"] if page.next_offset is None else page.next_offset,
        "pages": at["pages"] + 1,
        "rows": at["rows"] + len(page.records) + page.dropped,
        "dropped": at["dropped"] + page.dropped,
        "repeats": repeats,
        "seen": at["seen"] if fingerprint in at["seen"] else [*at["seen"], fingerprint],
        "complete": page.next_offset is None or empty or repeats >= _MOST_REPEATS,
    }


def compare(gathered: Gathered, known: dict[str, Row], settle: Callable[[Row, Row | None], Row]) -> Diff:
    """`settle` gives the row as it shall be, from a record and the row as it is, or raises Refused."""
    diff = Diff(gathered, missing=sorted(known.keys() - gathered.records.keys()))
    for key, record in gathered.records.items():
        before = known.get(key)
        try:
            after = settle(record, before)
        except Refused as refusal:
            named = {"key": key, "line": record["line"], "code": refusal.code, "message": f"{key}: {refusal}"}
            diff.refusals.append(named)
            continue
        if before is None:
            diff.added[key] = after
        elif after == before:
            diff.unchanged += 1
        else:
            diff.changed[key] = after
    return diff


def require_plausible(diff: Diff, own_rows: int, last: Row | None) -> None:
    """Raise JobFailed where far less came than the provider is known to have."""
    before = sum(last.get(name, 0) for name in ("added", "changed", "unchanged")) if last else 0
    expected = max(_HANDFUL, _PLAUSIBLE_SHARE * max(before, own_rows))
    if diff.usable < expected:
        raise JobFailed("implausible", {**diff.result(), "usable": diff.usable, "expected": int(expected)})
