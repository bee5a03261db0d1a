"""The vendor's many ways of saying no, each read as what it means, by body first and status then."""

import gzip
from typing import Any

import orjson
import pytest

from app.providers.aviationstack.client import AviationStack
from app.providers.base import DateNotOffered, ProviderError
from tests.providers.vendor import Reply, Vendor, future, refusal
from tests.support.client import in_days

PHP = "Argument 1 passed to App\\Legacy\\Thing::do() must be an instance of Closure, null given"
TRANSIENT = ("server_error", "unreadable", "no_answer")


def said(status: int, body: bytes = b"", **headers: str) -> Reply:
    return Reply(status, body, headers)


def envelope(status: int, error: Any) -> Reply:
    return said(status, orjson.dumps({"error": error}))


REFUSALS = {
    "key": (refusal(401, "invalid_access_key"), "access_refused"),
    "no key": (refusal(401, "missing_access_key"), "access_refused"),
    "inactive": (refusal(401, "inactive_user"), "access_refused"),
    "blocked": (refusal(402, "api_access_blocked"), "access_refused"),
    "https": (refusal(403, "https_access_restricted"), "plan_restricted"),
    "function": (refusal(403, "function_access_restricted"), "plan_restricted"),
    "month": (refusal(429, "usage_limit_reached"), "quota_exhausted"),
    "rate": (refusal(429, "rate_limit_reached"), "rate_limited"),
    "fault": (refusal(500, "internal_error"), "server_error"),
    "no function": (refusal(404, "invalid_api_function"), "refused"),
    "nowhere": (refusal(404, "404_not_found"), "refused"),
    "parameter": (refusal(400, "validation_error"), "refused"),
    "php": (refusal(500, PHP), "server_error"),
    "php in 200": (refusal(200, PHP), "server_error"),
    "error in 200": (refusal(200, "usage_limit_reached"), "quota_exhausted"),
    "old envelope": (envelope(429, {"code": 104, "type": "usage_limit_reached"}), "quota_exhausted"),
    "old envelope in 200": (envelope(200, {"code": 101, "type": "invalid_access_key"}), "access_refused"),
    "number alone": (envelope(500, {"code": 500}), "server_error"),
    "text for an error": (envelope(401, "Unauthorized"), "access_refused"),
    "list for an error": (envelope(429, ["slow down"]), "rate_limited"),
    "true for an error": (envelope(503, True), "server_error"),
    "unknown code": (refusal(403, "account_on_holiday"), "access_refused"),
    "message only": (said(401, b'{"message": "Unauthorized"}'), "access_refused"),
    "message only, too fast": (said(429, b'{"message": "Slow down"}'), "rate_limited"),
    "nothing": (said(401), "access_refused"),
    "nothing at all": (said(200), "unreadable"),
    "web page": (said(502, b"<h1>Bad Gateway</h1>"), "server_error"),
    "web page, forbidden": (said(403, b"<h1>Forbidden</h1>"), "access_refused"),
    "teapot": (said(418, b"I'm a teapot"), "refused"),
    "elsewhere": (said(301, Location="http://127.0.0.1:1/"), "redirected"),
    "number": (said(200, b"42"), "unreadable"),
    "list": (said(200, b"[]"), "unreadable"),
    "no data": (said(200, b'{"pagination": {}}'), "unreadable"),
    "data is text": (said(200, b'{"data": "none"}'), "unreadable"),
    "cut short": (said(200, b'{"data": [{"fli'), "unreadable"),
    "deep": (said(200, b'{"data":' + b"[" * 5000 + b"]" * 5000 + b"}"), "unreadable"),
    "callback": (said(200, b'callback({"data": []});'), "unreadable"),
    "broken gzip": (
        said(200, gzip.compress(b"{}")[:-9] + b"x" * 9, **{"Content-Encoding": "gzip"}),
        "no_answer",
    ),
}


async def asked() -> Any:
    return await anext(AviationStack().departures("FAE", in_days(40), today=in_days(0)))


@pytest.mark.parametrize("name", REFUSALS)
async def test_every_refusal_has_one_meaning(vendor: Vendor, name: str) -> None:
    """Only what may pass at once is asked again, once."""
    answer, meaning = REFUSALS[name]
    vendor.says(lambda *_: answer)

    with pytest.raises(ProviderError) as failed:
        await asked()

    assert failed.value.code == meaning
    assert failed.value.retry_after_seconds > 0
    assert len(vendor.asked) == (2 if meaning in TRANSIENT else 1)


@pytest.mark.parametrize(
    ("header", "seconds"), [("7", 7), ("999999", 3600), ("soon", 60), ("Wed, 21 Oct 2026", 60), ("-1", 60)]
)
async def test_the_vendors_own_wait_is_kept_to(vendor: Vendor, header: str, seconds: int) -> None:
    """Where it is a number; an hour at most."""
    vendor.says(lambda *_: said(429, Location="", **{"Retry-After": header}))

    with pytest.raises(ProviderError) as failed:
        await asked()

    assert failed.value.retry_after_seconds == seconds


@pytest.mark.parametrize(
    ("message", "first", "last"),
    [
        ("The date must be above 2026-11-29", "2026-11-30", None),
        ("The date must be after 2026-11-29.", "2026-11-30", None),
        ("The date must be below 2027-11-23", None, "2027-11-22"),
        ("The date must be before 2027-11-23", None, "2027-11-22"),
        ("The date must be above 2026-02-31", None, None),
        ("The date is not good", None, None),
        (None, None, None),
    ],
)
async def test_a_refused_date_tells_the_window(
    vendor: Vendor, message: str | None, first: str | None, last: str | None
) -> None:
    """As far as the message can be read; it is no failure of the vendor's."""
    problem = {"key": "invalid_future_date", "message": message}
    vendor.says(lambda *_: refusal(400, "validation_error", context={"date": [problem]}))

    with pytest.raises(DateNotOffered) as refused:
        await asked()

    named = [day and str(day) for day in (refused.value.first_date, refused.value.last_date)]
    assert named == [first, last]


@pytest.mark.parametrize(
    "context",
    [None, [], "date", {"date": None}, {"date": "wrong"}, {"date": [None, 3]}, {"date": [{"key": "x"}]}],
)
async def test_another_bad_parameter_is_not_a_refused_date(vendor: Vendor, context: Any) -> None:
    """Whatever the context is made of."""
    vendor.says(lambda *_: refusal(400, "validation_error", context=context))

    with pytest.raises(ProviderError) as refused:
        await asked()

    assert (type(refused.value), refused.value.code) == (ProviderError, "refused")


async def test_new_fields_are_passed_over(vendor: Vendor) -> None:
    """In the envelope, in its pages and in every row."""
    row = future(101, "FAE", "KEF") | {"mood": "good", "live": None}
    row["departure"] |= {"weather": {"wind": 3}}
    vendor.says(lambda *_: {"data": [row], "pagination": {"cursor": "abc"}, "meta": {"version": 9}})

    page = await asked()

    assert [(flight.carrier, flight.number) for flight in page.flights] == [("ZZ", "101")]


@pytest.mark.parametrize(
    "shape", [{"results": [future(101, "FAE", "KEF")]}, {"data": future(101, "FAE", "KEF")}]
)
async def test_rows_may_be_wrapped_otherwise(vendor: Vendor, shape: dict[str, Any]) -> None:
    """Under the older name, and a single one without a list."""
    vendor.says(lambda *_: shape)

    assert len((await asked()).flights) == 1
