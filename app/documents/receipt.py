"""The itinerary receipt: what was booked, what it costs and how it was paid, as a page or as a PDF.

Made from a booking as every answer shows it, and from nothing else.
"""

from datetime import datetime
from decimal import Decimal
from itertools import zip_longest

from app.aircraft import service as aircraft
from app.core.db import Row
from app.documents import paper
from app.documents.languages import Language, zone

_TRAVELS = ("confirmed", "completed")
_GONE = ("cancelled", "withdrawn")


def html(booking: Row, language: Language) -> str:
    return paper.html("receipt", facts(booking, language))


def pdf(booking: Row, language: Language) -> bytes:
    return paper.pdf("receipt", facts(booking, language), datetime.fromisoformat(booking["updated_at"]))


def facts(booking: Row, language: Language) -> Row:
    """Everything the templates print, in the words of the language."""
    return {
        "lang": language.tag,
        "t": language.texts,
        "title": f"{language.say('receipt')} {booking['pnr']}",
        "pnr": booking["pnr"],
        "status": language.say(booking["status"]),
        "valid": booking["status"] in _TRAVELS,
        "held": booking["status"] == "held",
        "notice": _notice(booking, language),
        "booked": language.moment(datetime.fromisoformat(booking["created_at"])),
        "issued": language.say("issued", time=language.moment(datetime.fromisoformat(booking["updated_at"]))),
        "passengers": [_passenger(passenger, language) for passenger in booking["passengers"]],
        "slices": [_slice(one, booking, language) for one in booking["slices"]],
        "fare": f"{language.say(booking['cabin'])} · {booking['fare_brand']}",
        "baggage": [language.say(kind, count=booking["baggage"][kind]) for kind in ("carry_on", "checked")],
        "conditions": [_condition(kind, booking, language) for kind in ("change", "refund")],
        "prices": [_price(line, language) for line in booking["price"]["passengers"]],
        "extras": [_extra(extra, language) for extra in booking.get("extras", ())],
        "total": language.money(booking["price"]["total"]),
        "payments": [
            _paid(paid, kind, language)
            for kind in ("payment", "refund")
            for paid in booking.get(f"{kind}s", ())
        ],
        "contact": [value for value in booking["contact"].values() if value],
    }


def _notice(booking: Row, language: Language) -> str:
    if booking["hold_expires_at"]:
        return language.say(
            "pay_until", time=language.moment(datetime.fromisoformat(booking["hold_expires_at"]))
        )
    return "" if booking["status"] in _TRAVELS else language.say("not_valid")


def _passenger(passenger: Row, language: Language) -> Row:
    return {
        "name": f"{passenger['given_name']} {passenger['family_name']}",
        "ticket_name": passenger["ticket_name"],
        "type": language.say(passenger["type"]),
        "ticket_number": hyphenated(passenger["ticket_number"]) or language.say("no_ticket"),
    }


def hyphenated(ticket_number: str | None) -> str:
    """As tickets print it: the airline's three digits apart."""
    return f"{ticket_number[:3]}-{ticket_number[3:]}" if ticket_number else ""


def _slice(one: Row, booking: Row, language: Language) -> Row:
    segments = one["segments"]
    first, last = segments[0], segments[-1]
    letter = one["booking_class"]
    return {
        "heading": f"{first['origin']['city']} – {last['destination']['city']}",  # noqa: RUF001
        "day": language.day(datetime.fromisoformat(first["departing_at"])),
        "duration": language.duration(one["duration"]),
        "booking_class": language.say("booking_class", letter=letter) if letter else "",
        "segments": [
            _segment(segment, booking, language) | {"layover": _layover(layover, segment, language)}
            for segment, layover in zip_longest(segments, one["layovers"])
        ],
    }


def _segment(segment: Row, booking: Row, language: Language) -> Row:
    leaves, arrives = (datetime.fromisoformat(segment[name]) for name in ("departing_at", "arriving_at"))
    seats = [seat["seat"] for seat in booking.get("seats", ()) if seat["flight_id"] == segment["flight_id"]]
    kind = segment["aircraft"]
    return {
        "number": segment["flight_number"],
        "operated_by": language.say("operated_by", airline=segment["operated_by"]),
        "aircraft": (aircraft.name(kind) or kind) if kind else "",
        "duration": language.duration(segment["duration"]),
        "seats": f"{language.say('seat')} {', '.join(seats)}" if seats else "",
        "notice": change_notice(booking, segment["flight_id"], language),
        "leaves": place(segment["origin"], leaves, language),
        "arrives": place(segment["destination"], arrives, language)
        | {"later": _days((arrives.date() - leaves.date()).days, language)},
    }


def place(stop: Row, local: datetime, language: Language) -> Row:
    """An airport with the clock reading there and what it differs from UTC."""
    terminal = stop["terminal"]
    return {
        "iata": stop["iata"],
        "city": stop["city"],
        "name": stop["name"],
        "terminal": language.say("terminal", terminal=terminal) if terminal else "",
        "time": language.time(local),
        "day": language.day(local),
        "zone": zone(local, stop["time_zone"]),
    }


def change_notice(booking: Row, flight_id: str, language: Language) -> str:
    """What has last become of a flight since it was booked, if it is worth a word."""
    changes = [change for change in booking["schedule_changes"] if change["flight_id"] == flight_id]
    if not changes or changes[-1]["materiality"] == "reinstated":
        return ""
    return language.say("flight_cancelled" if is_gone(booking, flight_id) else "flight_changed")


def is_gone(booking: Row, flight_id: str) -> bool:
    """Whether the last word on a flight is that it will not fly."""
    told = [change["after"] for change in booking["schedule_changes"] if change["flight_id"] == flight_id]
    return bool(told) and told[-1].get("status") in _GONE


def _days(days: int, language: Language) -> str:
    """`+1 day`, one day less across the date line, nothing on the same day."""
    if not days:
        return ""
    sign = "−" if days < 0 else "+"  # noqa: RUF001  A minus sign.
    return sign + language.say("day_offset" if abs(days) == 1 else "day_offsets", days=abs(days))


def _layover(layover: Row | None, segment: Row, language: Language) -> str:
    if layover is None:
        return ""
    parts = [
        language.say(
            "layover", duration=language.duration(layover["duration"]), place=segment["destination"]["city"]
        )
    ]
    if layover["airport_change"]:
        parts.append(language.say("change_airport", airport=layover["leaves_from"]))
    parts += [language.say(name) for name in ("change_terminal", "overnight") if layover[_FLAG[name]]]
    return " · ".join(parts)


_FLAG = {"change_terminal": "terminal_change", "overnight": "overnight"}


def _condition(kind: str, booking: Row, language: Language) -> str:
    condition = booking["conditions"][kind]
    if not condition["allowed"]:
        return language.say(f"{kind}_no")
    if not Decimal(condition["fee"]["amount"]):
        return language.say(f"{kind}_free")
    return language.say(f"{kind}_fee", fee=language.money(condition["fee"]))


def _price(line: Row, language: Language) -> Row:
    total = sum(Decimal(line[part]["amount"]) for part in ("base", "taxes"))
    who = f"{line['count']} × {language.say(line['type'])}"  # noqa: RUF001  A multiplication sign.
    return {
        "who": who,
        "base": language.money(line["base"]),
        "taxes": [
            {"code": tax["code"], "name": tax["name"], "amount": language.money(tax["amount"])}
            for tax in line["tax_lines"]
        ],
        "subtotal": language.say("subtotal", who=who),
        "total": language.money(line["base"] | {"amount": str(total)}),
    }


def _extra(extra: Row, language: Language) -> Row:
    return {"name": extra["name"], "amount": language.money(extra["amount"])}


def _paid(paid: Row, kind: str, language: Language) -> Row:
    card = f"{paid['brand'].title()} •••• {paid['last4']}" if paid.get("last4") else ""
    return {
        "kind": language.say(kind),
        "card": card,
        "day": language.moment(datetime.fromisoformat(paid["created_at"])),
        "amount": language.money(paid["amount"]),
    }
