"""Calling AviationStack: paging, its several error shapes, and retries within a budget.

The access key travels in the query string, so no URL is ever logged, raised or counted.
"""

import re
from datetime import date
from time import perf_counter
from typing import Any

import orjson
from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt, wait_random_exponential

from app.core import http
from app.core.config import settings
from app.core.logging import logger
from app.core.metrics import UPSTREAM_CALLS, UPSTREAM_SECONDS
from app.providers.aviationstack import records
from app.providers.base import AirlineRecord, DateNotOffered, FlightRecord, ProviderError

log = logger("jetway.aviationstack")

Json = dict[str, Any]

_MOST_PAGES = 30
_ATTEMPTS = 2
# These two endpoints take one call in 10 s (60 s on the free plan); the vendor sends no Retry-After.
_SLOW_ENDPOINTS = {"flightsFuture": 60, "timetable": 60}
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


class AviationStack:
    """A `ScheduleSource`."""

    name = "aviationstack"

    async def departures(self, airport: str, local_date: date, *, today: date) -> list[FlightRecord]:
        """Operating flights from an airport on a local date; `today` is the date there now.

        `/flights` answers for today, `/flightsFuture` for later dates. Neither is asked for another
        airport's rows, but each row is checked: unknown parameters are ignored silently by the vendor.
        """
        if local_date <= today:
            rows = await self._every_page("flights", {"dep_iata": airport})
            found = records.flights(rows)
        else:
            parameters = {"iataCode": airport, "type": "departure", "date": local_date.isoformat()}
            rows = await self._every_page("flightsFuture", parameters)
            found = records.future_flights(rows, local_date)
        return [
            flight
            for flight in found
            if flight.departure.iata == airport
            and flight.departure.scheduled is not None
            and flight.departure.scheduled.date() == local_date
        ]

    async def airlines(self) -> list[AirlineRecord]:
        return records.airlines(await self._every_page("airlines", {}))

    async def _every_page(self, endpoint: str, parameters: dict[str, str]) -> list[Json]:
        """All rows, until a short, empty or repeated page: `total` is not to be trusted."""
        rows: list[Json] = []
        previous: list[Any] = []
        offset = 0
        for _ in range(_MOST_PAGES):
            asked = settings().aviationstack_page_size
            body = await self._call(endpoint, {**parameters, "limit": str(asked), "offset": str(offset)})
            page = body["data"]
            applied = body["pagination"].get("limit")
            if not page or page == previous:
                break
            rows += [row for row in page if isinstance(row, dict)]
            previous, offset = page, offset + len(page)
            if len(page) < (applied if isinstance(applied, int) and applied > 0 else asked):
                break
        return rows

    async def _call(self, endpoint: str, parameters: dict[str, str]) -> Json:
        retrying = AsyncRetrying(
            stop=stop_after_attempt(_ATTEMPTS),
            wait=wait_random_exponential(multiplier=0.2, max=1),
            retry=retry_if_exception(lambda e: isinstance(e, ProviderError) and e.code in _TRANSIENT),
            reraise=True,
        )
        async for attempt in retrying:
            with attempt:
                return await self._call_once(endpoint, parameters)
        raise AssertionError("unreachable")

    async def _call_once(self, endpoint: str, parameters: dict[str, str]) -> Json:
        started, outcome = perf_counter(), "ok"
        try:
            answer = await http.get(
                f"{settings().aviationstack_base_url}/{endpoint}",
                params={"access_key": settings().aviationstack_key, **parameters},
                timeout_seconds=settings().aviationstack_timeout_seconds,
            )
            return _read(endpoint, answer)
        except http.UpstreamError as error:
            outcome = "no_answer"
            log.warning("no answer", endpoint=endpoint, reason=str(error))
            raise ProviderError("no_answer", retry_after_seconds=5) from None
        except ProviderError as error:
            outcome = error.code
            log.warning("refused", endpoint=endpoint, code=error.code)
            raise
        finally:
            UPSTREAM_CALLS.labels(self.name, endpoint, outcome).inc()
            UPSTREAM_SECONDS.labels(self.name, endpoint).observe(perf_counter() - started)


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
    if answer.status >= 500:
        raise ProviderError("server_error", retry_after_seconds=5)
    if answer.status in (401, 403):
        raise ProviderError("access_refused", retry_after_seconds=300)
    if answer.status == 429:
        raise ProviderError("rate_limited", retry_after_seconds=_retry_after(endpoint, answer))
    if not 200 <= answer.status < 300:
        raise ProviderError("refused", retry_after_seconds=60)
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
    return ProviderError("server_error", retry_after_seconds=5)


def _date_refusal(details: Json) -> DateNotOffered | None:
    context = details.get("context")
    problems = context.get("date") if isinstance(context, dict) else None
    for problem in problems if isinstance(problems, list) else []:
        if isinstance(problem, dict) and problem.get("key") == "invalid_future_date":
            named = re.search(r"\d{4}-\d{2}-\d{2}", str(problem.get("message", "")))
            return DateNotOffered(records.calendar_date(named.group()) if named else None)
    return None


def _retry_after(endpoint: str, answer: http.Answer) -> int:
    header = answer.headers.get("retry-after", "")
    return min(int(header), 3600) if header.isdigit() else _SLOW_ENDPOINTS.get(endpoint, 5)
