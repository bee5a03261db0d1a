"""Loading a schedule: its lines are read one after the other, and their flights stored in batches.

Whoever loads it (a worker, a console) brings the file's pieces and takes each batch's outcome, so that a load
that was stopped anywhere goes on from its last batch, or may be begun again: what is stored is stored once.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta
from typing import Protocol

from app.core import clock
from app.core.db import Row, Session
from app.flights import store
from app.providers.base import FlightRecord
from app.schedules import ssim, table
from app.schedules.errors import UnreadableSchedule
from app.schedules.legs import Entry, FlightLeg, PassedOver, Refusal, Refused, Window, dated, departure_date
from app.schedules.lines import Lines
from app.schedules.listed import Listed, Span

SOURCE = "import"
# Flights in a transaction. One leg brings up to a year's flights more, since a leg is never divided.
BATCH = 500
_BEGINNING = ["", "2000-01-01", ""]
# Codeshares between two times at which it is saved how far the load is.
_CODESHARES = 50
# A file of which so many lines are faulty may well lack what it should list.
_MOST_REFUSED = 0.1
# Such a line has no fault: it is about a flight that somebody else has to bring.
_FAULTLESS = ("operating_flight_unknown",)
COUNTS = (
    "lines",
    "flights",
    "added",
    "changed",
    "unchanged",
    "codeshares",
    "refused",
    "withdrawn",
)
WITHHELD = {
    "incomplete": "the file is not complete",
    "too_many_refused": "a tenth of its lines or more was refused",
}
_REASONS = {
    "unknown_airport": "An airport is not known.",
    "same_airport": "It ends where it begins.",
    "implausible_block_time": "On some of its dates no aircraft flies that far in that time.",
}


class Reader(Protocol):
    """A format. `complete` and `spans` hold once the file has been read to its end."""

    complete: bool

    @property
    def spans(self) -> list[Span]: ...

    def feed(self, line: int, raw: bytes) -> Iterator[Entry]: ...

    def end(self) -> Iterator[Entry]: ...


class Format(Protocol):
    def __call__(self, after: int = 0, spans: Iterable[Span] = ()) -> Reader: ...


FORMATS: dict[str, Format] = {"ssim": ssim.Reader, "csv": table.Reader}


class Steps(Protocol):
    """Whoever loads: `at` is from where a load that was stopped goes on."""

    def transaction(self) -> AbstractAsyncContextManager[Session]: ...

    async def save(self, at: Row, offset: int, refusals: list[Refusal], listed: dict[str, str]) -> None: ...


@dataclass(slots=True)
class Report:
    """What came of a schedule's lines. `withheld` says why nothing was withdrawn that might have been.

    `faulty` are the refused lines that are wrong in themselves.
    """

    lines: int = 0
    flights: int = 0
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    refused: int = 0
    withdrawn: int = 0
    codeshares: int = 0
    passed_over: dict[str, int] = field(default_factory=dict)
    faulty: int = 0
    withheld: str | None = None


def recognised(name: str | None, head: bytes) -> str:
    """The format by name, or by how the file begins. Raises UnreadableSchedule if it does not begin so."""
    lines = head.lstrip(b" \t\r\n\xef\xbb\xbf").splitlines()
    if not lines:
        raise UnreadableSchedule("The file is empty.")
    name = name or ("ssim" if lines[0].startswith(b"1AIRLINE") else "csv")
    for _ in FORMATS[name]().feed(1, lines[0]):
        pass
    return name


class Loading:
    """One load of one file. `at` is what was saved of it if it was begun before; `recall` what it had listed."""

    def __init__(
        self,
        kind: str,
        pieces: Callable[[], AsyncIterator[bytes]],
        steps: Steps,
        *,
        replace: bool = False,
        at: Row | None = None,
    ) -> None:
        at = at or {"stage": "flights", "line": 0, "started_at": clock.now().isoformat(), "spans": []}
        self.report = Report(**at.get("report", {}))
        self._format, self._pieces, self._steps, self._replace = FORMATS[kind], pieces, steps, replace
        # The line, or the span, that was done last, and in the next span the flight.
        self._stage, self._line = str(at["stage"]), int(at["line"])
        self._after = _place(at.get("after") or _BEGINNING)
        self._started_at = datetime.fromisoformat(at["started_at"])
        self._window = Window.around(self._started_at.date())
        self._spans = [Span.of(row) for row in at["spans"]]
        self._complete, self._sold_on_others = bool(at.get("complete")), bool(at.get("sold_on_others"))
        self._listed = Listed(self._window.first)
        self._batch: list[tuple[int, FlightRecord]] = []
        self._refusals: dict[int, Refusal] = {}
        self._offset = 0

    def recall(self, listed: dict[str, str]) -> None:
        """Know what a step had listed before the load was stopped."""
        self._listed.recall(listed)

    async def run(self) -> Row:
        """Load what is left of the file. Raises UnreadableSchedule."""
        stages = {"flights": self._load_flights, "codeshares": self._load_codeshares, "gone": self._withdraw}
        while self._stage in stages:
            await stages[self._stage]()
        return asdict(self.report)

    async def _load_flights(self) -> None:
        async for entry, reader in self._entries():
            self._spans = reader.spans
            self._complete = reader.complete
            if entry is not None:
                self._take(entry)
            if len(self._batch) >= BATCH or len(self._refusals) >= BATCH:
                await self._store()
                await self._save()
        await self._store()
        await self._next("codeshares" if self._sold_on_others else "gone")

    async def _entries(self) -> AsyncIterator[tuple[Entry | None, Reader]]:
        """What the lines say that have not been read before; at the end None, when the reader knows the rest."""
        lines, reader = Lines(self._pieces()), self._format(self._line, self._spans)
        async for number, raw in lines:
            for entry in reader.feed(number, raw):
                self._offset = lines.offset
                yield entry, reader
        for entry in reader.end():
            yield entry, reader
        self._offset = lines.offset
        yield None, reader

    def _take(self, entry: Entry) -> None:
        self.report.lines += entry.line > self._line
        self._line = max(self._line, entry.line)
        if isinstance(entry, Refusal):
            self._refuse(entry.line, entry.code, entry.message)
        elif isinstance(entry, PassedOver):
            self._pass_over(entry.reason)
        elif entry.sold_on is not None:
            self._sold_on_others = True
        else:
            self._take_leg(entry)

    def _take_leg(self, leg: FlightLeg) -> None:
        records = self._dated(leg)
        if not records:
            return
        new = self._listed.add(leg.carrier, leg.number, leg.origin.iata, map(departure_date, records))
        if not all(new):
            message = (
                f"{new.count(False)} of its {len(new)} flights are listed on earlier lines, which count."
            )
            self._refuse(leg.line, "listed_twice", message)
        self._batch += [(leg.line, record) for record, first in zip(records, new, strict=True) if first]

    def _dated(self, leg: FlightLeg) -> list[FlightRecord]:
        """The leg's flights in the time of interest; why there are none is noted."""
        try:
            records = dated(leg, self._window)
        except Refused as refusal:
            self._refuse(leg.line, refusal.code, str(refusal))
            return []
        if not records:
            self._pass_over("outside_window")
        return records

    async def _store(self) -> None:
        batch, self._batch = self._batch, []
        if not batch:
            return
        lines = {id(record): line for line, record in batch}
        records = [record for _, record in batch]
        try:
            async with self._steps.transaction() as session:
                kept = await store.keep(session, records, SOURCE, observed_at=self._started_at)
        except store.ImplausibleTimes:
            kept = store.Kept(refused=[(record, "implausible_block_time") for record in records])
        for record, reason in kept.refused:
            self._refuse(lines[id(record)], reason, _REASONS.get(reason, "It could not be stored."))
        self.report.flights += kept.stored
        self.report.added += kept.added
        self.report.changed += kept.changed
        self.report.unchanged += kept.stored - kept.added - kept.changed

    async def _load_codeshares(self) -> None:
        """Read the file again for what is only another number of a flight: by now the flight is stored."""
        done = 0
        async for entry, _ in self._entries():
            if isinstance(entry, FlightLeg) and entry.sold_on is not None:
                await self._sell_also(entry, *entry.sold_on)
                self._line, done = entry.line, done + 1
                if done % _CODESHARES == 0:
                    await self._save()
        await self._next("gone")

    async def _sell_also(self, leg: FlightLeg, carrier: str, number: str) -> None:
        days = [departure_date(record) for record in self._dated(leg)]
        if not days:
            return
        async with self._steps.transaction() as session:
            identities: list[tuple[object, ...]] = [(carrier, number, day, leg.origin.iata) for day in days]
            known, new = await store.sell_also(session, identities, leg.carrier + leg.number)
        self.report.codeshares += new
        if not known and not any(self._listed.has(carrier, number, leg.origin.iata, day) for day in days):
            message = f"It is another number of {carrier}{number}, of which no flight is known."
            self._refuse(leg.line, "operating_flight_unknown", message)

    async def _withdraw(self) -> None:
        """Take for gone what an earlier file listed and this one, which speaks for the same days, does not."""
        self.report.withheld = self._why_not_withdrawn()
        if self._replace and self.report.withheld is None:
            carriers = self._listed.carriers()
            for number, span in enumerate(self._spans, 1):
                # A file without any flight of a carrier is more likely a mistake than the carrier's end.
                if number > self._line and span.carrier in carriers:
                    await self._withdraw_within(span)
                    self._line, self._after = number, _place(_BEGINNING)
        await self._next("done")

    def _why_not_withdrawn(self) -> str | None:
        if not self._replace:
            return None
        if not self._complete:
            return "incomplete"
        return "too_many_refused" if self.report.faulty >= self.report.lines * _MOST_REFUSED else None

    async def _withdraw_within(self, span: Span) -> None:
        first = max(span.first, self._window.first)
        # On the window's last day by UTC, flights leave that were beyond it by the airports' clocks.
        beyond = self._window.last - timedelta(days=1)
        last = min(span.last or beyond, beyond)
        more = first <= last
        while more:
            async with self._steps.transaction() as session:
                withdrawn, after = await store.withdraw_unlisted(
                    session,
                    span.carrier,
                    first,
                    last,
                    self._is_listed,
                    in_utc=span.in_utc,
                    after=self._after,
                )
            self.report.withdrawn += withdrawn
            more = after is not None
            if after is not None:
                self._after = after
                await self._save()

    def _is_listed(self, flight: Row) -> bool:
        return self._listed.has(
            flight["carrier"], flight["number"], flight["origin"], flight["departure_date"]
        )

    def _refuse(self, line: int, code: str, message: str) -> None:
        """Name a line, once; of two reasons the later one says more than that something is missing before it."""
        if line not in self._refusals:
            self.report.refused += 1
            self.report.faulty += code not in _FAULTLESS
        self._refusals[line] = Refusal(line, code, message)

    def _pass_over(self, reason: str) -> None:
        self.report.passed_over[reason] = self.report.passed_over.get(reason, 0) + 1

    async def _next(self, stage: str) -> None:
        self._stage, self._line, self._after = stage, 0, _place(_BEGINNING)
        await self._save()

    async def _save(self) -> None:
        at = {
            "stage": self._stage,
            "line": self._line,
            "after": [self._after[0], self._after[1].isoformat(), self._after[2]],
            "started_at": self._started_at.isoformat(),
            "spans": [span.row() for span in self._spans],
            "complete": self._complete,
            "sold_on_others": self._sold_on_others,
            "report": asdict(self.report),
        }
        refusals = list(self._refusals.values())
        self._refusals = {}
        await self._steps.save(at, self._offset, refusals, self._listed.changed())


def _place(saved: list[str]) -> tuple[str, date, str]:
    number, day, origin = saved
    return number, date.fromisoformat(day), origin


def anything_read(report: Row) -> bool:
    """Whether the file had any line that could be used."""
    return bool(report["flights"] or report["lines"] > report["faulty"])
