"""A booking as every answer shows it, to print from; tests change what they are about."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from app.documents.boarding import BoardingPass
from app.documents.languages import Language
from app.offers.itinerary import iso_duration

OVER, ON = "X05-20261201-JFK", "ZZ900-20261202-LHR"
ENGLISH, GERMAN = Language("en"), Language("de")

STOPS = {
    "AKL": ("Auckland International Airport", "Auckland", "Pacific/Auckland"),
    "APW": ("Faleolo International Airport", "Apia", "Pacific/Apia"),
    "FRA": ("Frankfurt am Main Airport", "Frankfurt", "Europe/Berlin"),
    "HNL": ("Daniel K Inouye International Airport", "Honolulu", "Pacific/Honolulu"),
    "JFK": ("John F Kennedy International Airport", "New York", "America/New_York"),
    "LAX": ("Los Angeles International Airport", "Los Angeles", "America/Los_Angeles"),
    "LHR": ("London Heathrow Airport", "London", "Europe/London"),
    "MAD": ("Adolfo Suárez Madrid–Barajas Airport", "Madrid", "Europe/Madrid"),  # noqa: RUF001
    "NRT": ("Narita International Airport", "Tokyo", "Asia/Tokyo"),
    "PPG": ("Pago Pago International Airport", "Pago Pago", "Pacific/Pago_Pago"),
}


def usd(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "USD"}


def stop(iata: str, terminal: str | None = None) -> dict[str, Any]:
    name, city, zone = STOPS[iata]
    return {"iata": iata, "name": name, "city": city, "time_zone": zone, "terminal": terminal}


def at(reading: str, iata: str, fold: int = 0) -> datetime:
    """`2026-12-01 20:05` by the clocks of an airport."""
    return datetime.fromisoformat(reading).replace(tzinfo=ZoneInfo(STOPS[iata][2]), fold=fold)


def segment(
    number: str, origin: str, destination: str, leaves: datetime, arrives: datetime, **more: Any
) -> dict[str, Any]:
    return {
        "flight_id": f"{number}-{leaves:%Y%m%d}-{origin}",
        "flight_number": number,
        "marketing_carrier": number[:2],
        "operating_carrier": number[:2],
        "operated_by": "Larkspur Airways",
        "codeshares": [],
        "origin": stop(origin),
        "destination": stop(destination),
        "departing_at": leaves.isoformat(),
        "arriving_at": arrives.isoformat(),
        "duration": iso_duration(arrives.astimezone(UTC) - leaves.astimezone(UTC)),
        "aircraft": "A321",
        **more,
    }


def one_slice(*segments: dict[str, Any], **more: Any) -> dict[str, Any]:
    first, last = segments[0], segments[-1]
    return {
        "origin": first["origin"]["iata"],
        "destination": last["destination"]["iata"],
        "duration": "PT10H35M",
        "connections": len(segments) - 1,
        "arrival_day_offset": 1,
        "overnight": True,
        "booking_class": "K",
        "index": 0,
        "segments": list(segments),
        "layovers": [],
        **more,
    }


def ticket(number: str, *flight_ids: str, status: str = "O", issued_at: str = "2026-11-22T19:42:00Z") -> Any:
    """A ticket with a coupon for each flight, all of one status."""
    return {
        "number": number,
        "check_digit": int(number) % 7,
        "issued_at": issued_at,
        "coupons": [
            {"number": place, "slice": 0, "flight_id": flight_id, "status": status}
            for place, flight_id in enumerate(flight_ids, 1)
        ],
    }


def passenger(given: str | None = "Ada", family: str = "Lovelace", **more: Any) -> dict[str, Any]:
    tickets = more.pop("tickets", [ticket("0001234567890", OVER, ON)])
    return {
        "type": "adult",
        "title": None,
        "given_name": given,
        "family_name": family,
        "born_on": "1990-12-10",
        "gender": None,
        "infant_of": None,
        "ticket_name": "LOVELACE/ADA",
        "ticket_number": tickets[-1]["number"] if tickets else None,
        "tickets": tickets,
        "seats": [],
        "status": "active",
        "document": None,
        "loyalty": [],
        "services": [],
        **more,
    }


def extra(kind: str, amount: str, **more: Any) -> dict[str, Any]:
    """A seat or a bag for the first passenger, paid for."""
    return {
        "kind": kind,
        "passenger": 0,
        "slice": 0,
        "flight_id": OVER if kind == "seat" else None,
        "seat": "12A" if kind == "seat" else None,
        "quantity": 1,
        "amount": usd(amount),
        "status": "paid",
        **more,
    }


def payment(amount: str, **more: Any) -> dict[str, Any]:
    return {
        "id": "pay_1",
        "purpose": "purchase",
        "status": "captured",
        "amount": usd(amount),
        "refunded": usd("0.00"),
        "card": {"brand": "visa", "last4": "4242"},
        "failure": None,
        "next_action": None,
        "created_at": "2026-11-22T19:41:00Z",
        "captured_at": "2026-11-22T19:42:00Z",
        **more,
    }


def refund(amount: str, **more: Any) -> dict[str, Any]:
    return {
        "id": "ref_1",
        "payment_id": "pay_1",
        "status": "pending",
        "amount": usd(amount),
        "reason": "fare_rules",
        "due_on": "2026-12-03",
        "due_rule": "us-card",
        "created_at": "2026-11-24T08:00:00Z",
        "succeeded_at": None,
        **more,
    }


def airline_change(flight_id: str, **more: Any) -> dict[str, Any]:
    return {
        "id": "aic_1",
        "flight_id": flight_id,
        "slice": 0,
        "materiality": "significant",
        "before": {},
        "after": {},
        "options": ["accept", "refund"],
        "status": "open",
        "deadline": "2026-11-25T12:00:00Z",
        "passenger_rights": [],
        "created_at": "2026-11-23T10:00:00Z",
        **more,
    }


def booking(**changed: Any) -> dict[str, Any]:
    """New York to Frankfurt by way of London, for two adults and a child; paid."""
    over = segment("X05", "JFK", "LHR", at("2026-12-01 20:05", "JFK"), at("2026-12-02 08:05", "LHR"))
    over["origin"]["terminal"], over["destination"]["terminal"] = "4", "2"
    on = segment("ZZ900", "LHR", "FRA", at("2026-12-02 10:05", "LHR"), at("2026-12-02 12:40", "FRA"))
    on |= {"operated_by": "Sandbox Air", "aircraft": None}
    on["origin"]["terminal"] = "5"
    layover = {
        "airport": "LHR",
        "leaves_from": "LHR",
        "duration": "PT2H",
        "overnight": False,
        "airport_change": False,
        "terminal_change": True,
    }
    adults = [("D1", "Passenger charge on departure", "41.80"), ("YQ", "Fuel surcharge", "170.60")]
    child = [("D1", "Passenger charge on departure", "100.00")]
    return {
        "pnr": "K7QX2M",
        "status": "confirmed",
        "price": {
            "total": usd("1812.40"),
            "base": usd("1500.00"),
            "taxes": usd("312.40"),
            "passengers": [
                _price("adult", 2, "1200.00", "212.40", adults),
                _price("child", 1, "300.00", "100.00", child),
            ],
        },
        "cabin": "economy",
        "fare_brand": "Standard",
        "conditions": {
            "change": {"allowed": True, "fee": usd("75.00")},
            "refund": {"allowed": False, "fee": None},
        },
        "baggage": {"carry_on": 1, "checked": 2},
        "passengers": [
            passenger(),
            passenger(
                "Charles",
                "Babbage",
                ticket_name="BABBAGE/CHARLES",
                tickets=[ticket("0001234567891", OVER, ON)],
            ),
            passenger("Byron", "King", type="child", ticket_name="KING/BYRON", tickets=[]),
        ],
        "slices": [one_slice(over, on, layovers=[layover])],
        "contact": {"email": "ada@example.com", "phone": "+441632960000"},
        "hold_expires_at": None,
        "price_guaranteed_until": None,
        "amount_due": usd("0.00"),
        "extras": [],
        "cancellation": {"free_until": None, "free_rule": None, "void_until": None},
        "schedule_changes": [],
        "airline_changes": [],
        "payments": [payment("1812.40")],
        "refunds": [],
        "available_actions": [],
        "created_at": "2026-11-22T19:38:31Z",
        "updated_at": "2026-11-22T19:42:01Z",
        **changed,
    }


def _price(kind: str, count: int, base: str, taxes: str, lines: list[tuple[str, str, str]]) -> dict[str, Any]:
    return {
        "type": kind,
        "count": count,
        "base": usd(base),
        "taxes": usd(taxes),
        "tax_lines": [{"code": code, "name": name, "amount": usd(amount)} for code, name, amount in lines],
    }


def change(flight_id: str, materiality: str, after: dict[str, str]) -> dict[str, Any]:
    before = {"departs_at": "2026-12-02T01:05:00Z", "arrives_at": "2026-12-02T08:05:00Z"}
    return {
        "flight_id": flight_id,
        "materiality": materiality,
        "before": before,
        "after": after,
        "at": "2026-11-23T10:00:00Z",
    }


def boarding_pass(**changed: Any) -> BoardingPass:
    facts: dict[str, Any] = {
        "pnr": "K7QX2M",
        "passenger": 0,
        "slice": 0,
        "status": "C",
        "name": "Ada Lovelace",
        "ticket_name": "LOVELACE/ADA",
        "passenger_type": "adult",
        "flight_id": "ZZ101-20261201-JFK",
        "carrier": "ZZ",
        "number": "101",
        "operated_by": "Sandbox Air",
        "origin": stop("JFK", "4"),
        "destination": stop("LHR", "5"),
        "departing_at": at("2026-12-01 20:05", "JFK"),
        "arriving_at": at("2026-12-02 08:05", "LHR"),
        "boarding_at": at("2026-12-01 19:25", "JFK"),
        "gate": "B42",
        "seat": "12A",
        "sequence": 25,
        "cabin": "economy",
        "booking_class": "K",
        "ticket_number": "0001234567890",
        "coupon": 1,
        "checked_bags": 2,
        "issued_at": datetime.fromisoformat("2026-11-30T20:10:00+00:00"),
    }
    return BoardingPass(**facts | changed)
