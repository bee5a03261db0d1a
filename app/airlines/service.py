"""The airline directory: every airline in memory; packaged, and improved by what providers say of them."""

from dataclasses import dataclass
from pathlib import Path

from app.airlines import repository
from app.airlines.errors import AirlineNotFound
from app.core import db, tables
from app.core.autocomplete import Entry, Index, folded
from app.core.copies import Copy
from app.core.db import Row, Session
from app.providers.base import AirlineRecord

_PACKAGED = Path(__file__).with_name("data") / "airlines.csv"
_FACTS = ("icao", "name", "callsign", "country", "active", "accounting_code")


@dataclass(frozen=True, slots=True)
class Airline:
    iata: str
    icao: str | None
    name: str
    callsign: str | None
    country: str | None
    active: bool
    accounting_code: str | None

    @property
    def wire(self) -> Row:
        """The airline as `GET /airlines/{iata}` shows it."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


class Directory:
    """All airlines of one process, in the order of their names."""

    def __init__(self, airlines: list[Airline]) -> None:
        self._preferred = sorted(airlines, key=lambda airline: (folded(airline.name), airline.iata))
        self.by_iata = {airline.iata: airline for airline in self._preferred}
        self.by_icao: dict[str, list[Airline]] = {}
        self._of_country: dict[str | None, set[int]] = {}
        for number, airline in enumerate(self._preferred):
            if airline.icao:
                self.by_icao.setdefault(airline.icao, []).append(airline)
            self._of_country.setdefault(airline.country, set()).add(number)
        self._index = Index([Entry((a.iata, a.icao, a.callsign), (a.name,)) for a in self._preferred])

    def find(self, code: str) -> Airline:
        """By IATA designator, or by ICAO's three letters, which several may share. Raises AirlineNotFound."""
        code = code.upper()
        found = [self.by_iata[code]] if code in self.by_iata else self.by_icao.get(code, [])
        if not found:
            raise AirlineNotFound(f"There is no airline {code}.")
        return found[0]

    def search(self, query: str, country: str | None) -> list[Airline]:
        """Best first: designators and callsign, the name, how names begin, words; then what was mistyped."""
        among = self._of_country.get(country, set()) if country else None
        return [self._preferred[number] for number in self._index.find(query, among)]


def _build(rows: list[Row]) -> Directory:
    columns = Airline.__dataclass_fields__
    return Directory([Airline(**{name: row[name] for name in columns}) for row in rows])


copy = Copy(repository.stamp, repository.every, _build)


def directory() -> Directory:
    """The airlines as they were when they were last read; `load` must have been called."""
    return copy.value


async def ready() -> None:
    """Have the airlines in memory as they are now; for tasks, which a process may run before anything else."""
    await (copy.refresh() if copy.is_read else load())


async def load() -> None:
    """Read the airlines into memory, after putting the packaged ones into the table where they are not in it."""
    packaged = _packaged()
    async with db.transaction() as session:
        stored = {row["iata"]: row for row in await repository.every(session)}
        if _news(packaged, stored):
            await _keep(session, packaged)
    await copy.refresh()


async def store(session: Session, airlines: list[AirlineRecord], source: str) -> None:
    """Keep what a provider knows; of two records with one designator the later counts."""
    told = [{name: getattr(airline, name) for name in ("iata", *_FACTS)} for airline in airlines]
    await _keep(session, [row | {"source": source} for row in told])
    db.after_commit(session, copy.refresh)


async def learn(session: Session, seen: dict[str, tuple[str, str | None]]) -> None:
    """Add airlines that a schedule names and we do not know yet: designator → (name, ICAO designator)."""
    unknown = set(seen) - await repository.known(session) if seen else set()
    if not unknown:
        return
    blank = dict.fromkeys(_FACTS) | {"active": True, "source": "schedule"}
    learned = [blank | {"iata": iata, "name": seen[iata][0], "icao": seen[iata][1]} for iata in unknown]
    await repository.add(session, learned)
    db.after_commit(session, copy.refresh)


async def _keep(session: Session, told: list[Row]) -> None:
    """Others wait meanwhile, so that what two of them know of an airline is put together and not lost."""
    known = {row["iata"]: row for row in await repository.every_locked(session)}
    if news := _news(told, known):
        await repository.put(session, news)


def _news(told: list[Row], known: dict[str, Row]) -> list[Row]:
    """The rows that are to be added or to be changed."""
    latest = {row["iata"]: row for row in told}
    merged = [(_merged(row, known.get(iata)), known.get(iata)) for iata, row in latest.items()]
    return [after for after, before in merged if not _same(after, before)]


def _merged(told: Row, known: Row | None) -> Row:
    """Of two sources the better one's word, completed by the other's where they speak of the same airline."""
    if known is None:
        return told
    better, other = (told, known) if _standing(told) >= _standing(known) else (known, told)
    if better["icao"] and other["icao"] and better["icao"] != other["icao"]:
        return better  # Designators are given out again: the other means whoever had this one before.
    return better | {name: other[name] for name in _FACTS if better[name] is None}


def _standing(row: Row) -> int:
    """Packaged facts were checked, a provider's are kept up by somebody, a schedule's are what it happened to say."""
    return {"packaged": 2, "schedule": 0}.get(row["source"], 1)


def _same(after: Row, before: Row | None) -> bool:
    return before is not None and all(after[name] == before[name] for name in (*_FACTS, "source"))


def _packaged() -> list[Row]:
    return [
        {name: value or None for name, value in row.items()} | {"active": True, "source": "packaged"}
        for row in tables.read(_PACKAGED)
    ]
