"""Calling AviationStack: paging, its several error shapes, and retries, every call paid from the budget.

The access key travels in the query string, so no URL is ever logged, raised or counted.
"""

import hashlib
import re
from collections.abc import AsyncIterator
from datetime import date, timedelta
from time import perf_counter
from typing import Any

import orjson
from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt, wait_random_exponential

from app.core import clock, http, tracing
from app.core.config import settings
from app.core.logging import logger
from app.core.metrics import UPSTREAM_CALLS, UPSTREAM_SECONDS
from app.providers import governor
from app.providers.aviationstack import records
from app.providers.base import (
    AirlineRecord,
    AirportRecord,
    DateNotOffered,
    FlightRecord,
    ProviderError,
    ReferencePage,
    SchedulePage,
)
from app.providers.governor import Allowance, Call

log = logger("jetway.aviationstack")

Json = dict[str, Any]

_MOST_PAGES = 100
_CAPPED_TOTAL = 10_000
_ATTEMPTS = 2
_PATIENCE_SECONDS = 12.0
# The documented rate of the airport boards on the two kinds of plans; the vendor sends no Retry-After.
_BOARD_SECONDS, _FREE_BOARD_SECONDS = 10.0, 60.0
_BOARDS = ("flightsFuture", "timetable")
_CODES = {
    "invalid_access_key": ("access_refused", 300),
    "missing_access_key": ("access_refused", 300),
    "inactive_user": ("access_refused", 300),
    "api_access_blocked": ("access_refused", 300),
    "https_access_restricted": ("plan_restricted", 3600),
    "function_access_restricted": ("plan_restricted", 3600),
    "usage_limit_reached": ("quota_exhausted", 3600),
}
_TRANSIENT = ("no_answer", "server_error", "unreadable")


def allowance() -> Allowance:
    """What this month may be spent on calls."""
    return Allowance(
        AviationStack.name,
        "calls",
        settings().aviationstack_calls_per_month,
        "month",
        settings().aviationstack_background_share,
        starts_on=settings().aviationstack_billing_day,
    )


class AviationStack:
    """A `ScheduleSource`."""

    name = "aviationstack"

    async def departures(
        self, airport: str, local_date: date, *, today: date, offset: int = 0
    ) -> AsyncIterator[SchedulePage]:
        """Operating flights from an airport on a local date, page by page; `today` is the date there now.

        `/flights` answers for today, `/flightsFuture` for later dates. Neither is asked for another
        airport's rows, but each row is checked: unknown parameters are ignored silently by the vendor.
        """
        if local_date <= today:
            endpoint, parameters = "flights", {"dep_iata": airport}
        else:
            endpoint = "flightsFuture"
            parameters = {"iataCode": airport, "type": "departure", "date": local_date.isoformat()}
            await self._check_window(local_date)
        try:
            async for rows, next_offset in self._pages(endpoint, parameters, offset):
                read = (
                    records.flights(rows)
                    if endpoint == "flights"
                    else records.future_flights(rows, local_date)
                )
                yield SchedulePage(_of_board(read, airport, local_date), next_offset)
        except DateNotOffered as refusal:
            await governor.learn_window(
                self.name, endpoint, _vendors_today(), refusal.first_date, refusal.last_date
            )
            raise

    async def flight(self, carrier: str, number: str) -> list[FlightRecord]:
        """The legs that fly under this number about now; the caller picks its own by place and date."""
        body = await self._call("flights", {"flight_iata": carrier + number, "limit": "100"})
        found = records.flights(_rows(body))
        return [one for one in found if (one.carrier, one.number) == (carrier, number)]

    async def airports_page(self, offset: int) -> ReferencePage[AirportRecord]:
        rows, next_offset, total = await self._page("airports", {}, offset)
        found = records.airports(rows)
        return ReferencePage(found, next_offset, total, len(rows) - len(found))

    async def airlines_page(self, offset: int) -> ReferencePage[AirlineRecord]:
        rows, next_offset, total = await self._page("airlines", {}, offset)
        found = records.airlines(rows)
        return ReferencePage(found, next_offset, total, len(rows) - len(found))

    async def _check_window(self, local_date: date) -> None:
        """Spare a call whose refusal the vendor has foretold today or yesterday: its window moves daily."""
        known = await governor.endpoint(self.name, "flightsFuture")
        if known is None or known["window_seen_on"] is None:
            return
        moved = _vendors_today() - known["window_seen_on"]
        if not timedelta() <= moved <= timedelta(days=1):
            return
        first = known["first_date"] and known["first_date"] + moved
        last = known["last_date"] and known["last_date"] + moved
        if (first and local_date < first) or (last and local_date > last):
            raise DateNotOffered(first, last)

    async def _pages(
        self, endpoint: str, parameters: dict[str, str], offset: int
    ) -> AsyncIterator[tuple[list[Json], int | None]]:
        """All rows from an offset on, until a short, empty or repeated page: `total` is not to be trusted."""
        previous, following = b"", offset
        for _ in range(_MOST_PAGES):
            try:
                rows, next_offset, _total = await self._page(endpoint, parameters, following)
            except ProviderError as error:
                if not following or error.code != "refused":
                    raise
                rows, next_offset = [], None  # Some answer an offset beyond the end so, others with no rows.
            fingerprint = hashlib.sha256(orjson.dumps(rows)).digest()
            if fingerprint == previous:
                yield [], None
                return
            yield rows, next_offset
            if next_offset is None:
                return
            previous, following = fingerprint, next_offset
        raise ProviderError("endless", retry_after_seconds=3600)

    async def _page(
        self, endpoint: str, parameters: dict[str, str], offset: int
    ) -> tuple[list[Json], int | None, int | None]:
        """Rows, where the next page begins (None after the last), and what the vendor says of the total."""
        asked = settings().aviationstack_page_size
        body = await self._call(endpoint, {**parameters, "limit": str(asked), "offset": str(offset)})
        applied, total = body["pagination"].get("limit"), body["pagination"].get("total")
        size = applied if isinstance(applied, int) and 0 < applied <= asked else asked
        arrived = len(body["data"])
        # A short page is the last one, unless the vendor says that there is more; its 10,000 says nothing.
        total = total if isinstance(total, int) and total != _CAPPED_TOTAL else None
        more = arrived >= size or (arrived > 0 and total is not None and total > offset + arrived)
        # A page that is longer than was asked for is no reason to skip the rows after it.
        return _rows(body), offset + min(arrived, size) if more else None, total

    async def _call(self, endpoint: str, parameters: dict[str, str]) -> Json:
        if not settings().aviationstack_key:
            raise ProviderError("not_configured", retry_after_seconds=3600)
        call = Call(
            endpoint,
            allowance(),
            spacing_seconds=settings().board_seconds if endpoint in _BOARDS else 0.0,
            patience_seconds=_PATIENCE_SECONDS,
        )
        retrying = AsyncRetrying(
            stop=stop_after_attempt(_ATTEMPTS),
            wait=wait_random_exponential(multiplier=0.2, max=1),
            retry=retry_if_exception(lambda e: isinstance(e, ProviderError) and e.code in _TRANSIENT),
            reraise=True,
        )
        async for attempt in retrying:
            with attempt:
                return await self._call_once(call, parameters)
        raise AssertionError("unreachable")

    async def _call_once(self, call: Call, parameters: dict[str, str]) -> Json:
        await governor.admit(call)
        started, outcome = perf_counter(), "ok"
        try:
            answer = await http.get(
                f"{settings().aviationstack_base_url}/{call.endpoint}",
                params={"access_key": settings().aviationstack_key, **parameters},
                timeout_seconds=settings().aviationstack_timeout_seconds,
            )
            body = _read(call.endpoint, answer)
        except (http.UpstreamError, ProviderError) as error:
            refusal = (
                error
                if isinstance(error, ProviderError)
                else ProviderError("no_answer", retry_after_seconds=5)
            )
            outcome = refusal.code
            log.warning("refused", endpoint=call.endpoint, code=outcome)
            await self._note(call, refusal)
            raise refusal from None
        else:
            await governor.succeeded(call)
            return body
        finally:
            UPSTREAM_CALLS.labels(self.name, call.endpoint, outcome).inc()
            UPSTREAM_SECONDS.labels(self.name, call.endpoint).observe(perf_counter() - started)
            tracing.called(self.name, call.endpoint, outcome, perf_counter() - started)

    async def _note(self, call: Call, refusal: ProviderError) -> None:
        if isinstance(refusal, DateNotOffered):
            await governor.succeeded(call)  # The vendor is well; it only has nothing for that date.
            return
        if refusal.code == "rate_limited" and call.endpoint in _BOARDS:
            # Called at the paid plans' rate and still too fast: it is the Free plan's.
            known = await governor.endpoint(self.name, call.endpoint)
            learned = known["spacing_seconds"] if known else 0.0
            slow = max(learned, call.spacing_seconds) >= _BOARD_SECONDS
            await governor.keep_apart(call, _FREE_BOARD_SECONDS if slow else _BOARD_SECONDS)
        await governor.failed(call, refusal)


def _vendors_today() -> date:
    """The day from which the vendor counts its window, wherever the airport is."""
    return clock.now().date()


def _of_board(found: list[FlightRecord], airport: str, local_date: date) -> list[FlightRecord]:
    return [
        flight
        for flight in found
        if flight.departure.iata == airport
        and flight.departure.scheduled is not None
        and flight.departure.scheduled.date() == local_date
    ]


def _rows(body: Json) -> list[Json]:
    return [row for row in body["data"] if isinstance(row, dict)]


def _read(endpoint: str, answer: http.Answer) -> Json:
    """The envelope with `data` a list and `pagination` a dict, or ProviderError.

    An `error` member is believed before the status, because errors come with 200 too.
    """
    try:
        body = orjson.loads(answer.body.removeprefix(b"\xef\xbb\xbf"))
    except orjson.JSONDecodeError:
        body = None
    if isinstance(body, dict) and body.get("error"):
        raise _refusal(endpoint, answer, body["error"])
    if not 200 <= answer.status < 300:
        raise _by_status(endpoint, answer)
    if not isinstance(body, dict):
        raise ProviderError("unreadable", retry_after_seconds=5)
    data = body.get("data", body.get("results"))
    if isinstance(data, dict):
        data = [data]
    if not isinstance(data, list):
        raise ProviderError("unreadable", retry_after_seconds=5)
    pagination = body.get("pagination")
    return {"data": data, "pagination": pagination if isinstance(pagination, dict) else {}}


def _refusal(endpoint: str, answer: http.Answer, error: Any) -> ProviderError:
    """The vendor's error, current or legacy envelope, as one of ours."""
    details = error if isinstance(error, dict) else {}
    code = details.get("type") if isinstance(details.get("code"), int) else details.get("code")
    if code == "validation_error":
        return _date_refusal(details) or ProviderError("refused", retry_after_seconds=3600)
    if code == "rate_limit_reached":
        return ProviderError("rate_limited", retry_after_seconds=_retry_after(endpoint, answer))
    if isinstance(code, str) and code in _CODES:
        ours, wait = _CODES[code]
        return ProviderError(ours, retry_after_seconds=wait)
    return _by_status(endpoint, answer)


def _by_status(endpoint: str, answer: http.Answer) -> ProviderError:
    """What a refusal means that says nothing we know."""
    if answer.status in (401, 403):
        return ProviderError("access_refused", retry_after_seconds=300)
    if answer.status == 429:
        return ProviderError("rate_limited", retry_after_seconds=_retry_after(endpoint, answer))
    if 300 <= answer.status < 400:
        return ProviderError("redirected", retry_after_seconds=60)
    if 400 <= answer.status < 500:
        return ProviderError("refused", retry_after_seconds=60)
    return ProviderError("server_error", retry_after_seconds=5)


def _date_refusal(details: Json) -> DateNotOffered | None:
    """`The date must be above 2026-11-29` names the last day before the window; `below`, the first after it."""
    context = details.get("context")
    problems = context.get("date") if isinstance(context, dict) else None
    for problem in problems if isinstance(problems, list) else []:
        if isinstance(problem, dict) and problem.get("key") == "invalid_future_date":
            message = str(problem.get("message", ""))
            match = re.search(r"\d{4}-\d{2}-\d{2}", message)
            named = records.calendar_date(match.group()) if match else None
            if named is None:
                return DateNotOffered(None, None)
            if re.search(r"below|before", message):
                return DateNotOffered(None, named - timedelta(days=1))
            return DateNotOffered(named + timedelta(days=1), None)
    return None


def _retry_after(endpoint: str, answer: http.Answer) -> int:
    header = answer.headers.get("retry-after", "")
    if header.isdigit():
        return min(int(header), 3600)
    return int(_FREE_BOARD_SECONDS) if endpoint in _BOARDS else 5
