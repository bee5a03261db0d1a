"""`docs/metrics.md`, made from the declarations, so that it cannot tell of others."""

from app.core.metrics import DECLARED, LABELS
from app.ops.invariants import INVARIANTS

_BEGINNING = """\
# Metrics

What Prometheus reads, by the name that it has there. Made by `python -m app metrics`.

**Where.** Each API process answers `GET /admin/metrics` with `Authorization: Bearer $ADMIN_METRICS_TOKEN`. Those that
share a port (`uvicorn --workers 4`) share a folder, `METRICS_DIR`, and whichever is asked tells of all: what they have
counted is added up, what processes that have died had counted stays, and the others' numbers are up to 3 seconds old.
Each process of a worker serves its own at `WORKER_METRICS_ADDRESS`, without a token, one port after the other. Beat has
none: its sign of life is in the database, and every API process tells of it.

**Two kinds.** What each process counts of itself is added up over them: `sum(rate(jetway_tasks_total[5m])) by (task)`.
What is so for the whole installation, marked *all* below, is read when an API process is asked, and each of them tells
the same, so take one of them: `max(jetway_outbox_age_seconds)`. While PostgreSQL or Redis is away, what is read from it
keeps its last value, and `jetway_dependency_up` says so.

**Bounds.** Labels hold words of the code and of operators, never what travellers send, so their number is bounded.
Beside these there are the client library's `process_*` and `python_*`.

| metric | type | labels | of | meaning |
| --- | --- | --- | --- | --- |"""


def text() -> str:
    lines = [_BEGINNING]
    for one in sorted(DECLARED, key=lambda one: one.name):
        labels = ", ".join(f"`{label}`" for label in one.labels)
        lines.append(
            f"| `{one.name}` | {one.kind} | {labels} | {'all' if one.shared else 'each'} | {one.meaning} |"
        )
    lines += ["", "## Labels", "", "| label | holds |", "| --- | --- |"]
    lines += [f"| `{label}` | {holds} |" for label, holds in sorted(LABELS.items())]
    lines += ["", "## Invariants", "", _INVARIANTS, "", "| invariant | broken where |", "| --- | --- |"]
    lines += [f"| `{name}` | {invariant.broken} |" for name, invariant in INVARIANTS.items()]
    return "\n".join(lines)


_INVARIANTS = """\
A worker asks each minute whether what must always be true is true, each question for no more than three seconds. What
breaks one is counted in `jetway_invariant_violations` and named by an error `invariant broken` in the log.
`jetway_invariants_checked_timestamp_seconds` grows old when a question is not answered. They look at what has changed
lately, which the newest 10,000 events and entries of the ledger are about, and at everything that is held or open."""
