"""The itinerary receipt: what was booked, what it costs and how it was paid, as a page or as a PDF.

Made from a booking as every answer shows it, and from nothing else.
"""

from datetime import date, datetime
from decimal import Decimal
from itertools import zip_longest

from app.aircraft import service as aircraft
from app.core.db import Row
from app.documents import paper
from app.documents.languages import Language, zone

_TRAVELS = ("confirmed", "completed")
_GONE = ("cancelled", "withdrawn")
_GIVEN_BACK = ("E", "R", "V")


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
        "conditions": _conditions(booking, language),
        "prices": [_price(line, language) for line in booking["price"]["passengers"]],
        "extras": [_extra(extra, booking, language) for extra in booking["extras"]],
        "total": language.money(_total(booking)),
        "due": _due(booking, language),
        "payments": [
            *(_paid(payment, language) for payment in booking["payments"] if payment["status"] == "captured"),
            *(_refund(refund, language) for refund in booking["refunds"]),
        ],
        "contact": [value for value in booking["contact"].values() if value],
    }


def _notice(booking: Row, language: Language) -> str:
    if booking["hold_expires_at"]:
        time = language.moment(datetime.fromisoformat(booking["hold_expires_at"]))
        return language.say("pay_until", amount=language.money(booking["amount_due"]), time=time)
    return "" if booking["status"] in _TRAVELS else language.say("not_valid")


def _passenger(passenger: Row, language: Language) -> Row:
    gone = passenger["status"] == "cancelled"
    return {
        "name": full_name(passenger),
        "ticket_name": passenger["ticket_name"],
        "type": language.say(passenger["type"]),
        "gone": language.say("cancelled") if gone else "",
        "tickets": [hyphenated(number) for number in _numbers(passenger)] or [language.say("no_ticket")],
        "more": [
            *(f"{one['airline']} {one['number']}" for one in passenger["loyalty"]),
            *(_service(one) for one in passenger["services"]),
        ],
    }


def full_name(passenger: Row) -> str:
    """As the passenger writes it; some have no given name."""
    return " ".join(name for name in (passenger["given_name"], passenger["family_name"]) if name)


def _numbers(passenger: Row) -> list[str]:
    """The tickets that are good, several where they are in conjunction; where none is, those that were last."""
    issued = passenger["tickets"]
    good = [one for one in issued if any(coupon["status"] not in _GIVEN_BACK for coupon in one["coupons"])]
    last = [one for one in issued if one["issued_at"] == issued[-1]["issued_at"]]
    return [one["number"] for one in good or last]


def _service(service: Row) -> str:
    said = f"{service['code']} {service['name']}"
    return f"{said} ({service['text']})" if service["text"] else said


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
    seats = [
        seat["seat"]
        for passenger in booking["passengers"]
        for seat in passenger["seats"]
        if seat["flight_id"] == segment["flight_id"]
    ]
    kind = segment["aircraft"]
    return {
        "number": segment["flight_number"],
        "operated_by": language.say("operated_by", airline=segment["operated_by"]),
        "aircraft": (aircraft.name(kind) or kind) if kind else "",
        "duration": language.duration(segment["duration"]),
        "seats": f"{language.say('seat')} {', '.join(seats)}" if seats else "",
        "notice": " ".join(
            notice(booking, segment["flight_id"], language) for notice in (change_notice, _question)
        ).strip(),
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


def _question(booking: Row, flight_id: str, language: Language) -> str:
    """That the airline waits for the traveller to choose what becomes of a flight."""
    waiting = [
        change
        for change in booking["airline_changes"]
        if change["flight_id"] == flight_id and change["status"] == "open"
    ]
    if not waiting:
        return ""
    return language.say("answer_by", time=language.moment(datetime.fromisoformat(waiting[-1]["deadline"])))


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


def _conditions(booking: Row, language: Language) -> list[str]:
    """What the fare allows, and until when the law or we let everything be given back for nothing."""
    said = [_condition(kind, booking, language) for kind in ("change", "refund")]
    terms = booking["cancellation"]
    until = [datetime.fromisoformat(terms[name]) for name in ("free_until", "void_until") if terms[name]]
    if until and booking["status"] in ("held", "confirmed"):
        said.append(language.say("free_until", time=language.moment(max(until))))
    return said


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


def _extra(extra: Row, booking: Row, language: Language) -> Row:
    who = full_name(booking["passengers"][extra["passenger"]])
    if extra["kind"] == "seat":
        what = [f"{language.say('seat')} {extra['seat']}", extra["flight_id"].partition("-")[0]]
    else:
        what = [language.say("checked", count=extra["quantity"]), _route(extra["slice"], booking)]
    return {
        "name": " · ".join(part for part in (*what, who) if part),
        "amount": language.money(extra["amount"]),
    }


def _route(index: int, booking: Row) -> str:
    """Between which airports a slice goes; nothing where the booking has changed since."""
    ends = [(one["origin"], one["destination"]) for one in booking["slices"] if one["index"] == index]
    return " – ".join(*ends) if ends else ""  # noqa: RUF001


def _total(booking: Row) -> Row:
    """The fare's price with the extras."""
    fare: Row = booking["price"]["total"]
    extras = sum(Decimal(extra["amount"]["amount"]) for extra in booking["extras"])
    return fare | {"amount": str(Decimal(fare["amount"]) + extras)}


def _due(booking: Row, language: Language) -> str:
    return language.money(booking["amount_due"]) if Decimal(booking["amount_due"]["amount"]) else ""


def _paid(payment: Row, language: Language) -> Row:
    card = payment["card"]
    # Some processors know only the last digits.
    named = card and " ".join(
        part for part in ((card["brand"] or "").title(), f"•••• {card['last4']}") if part
    )
    return {
        "kind": language.say(f"payment_{payment['purpose']}"),
        "card": named or "",
        "day": language.moment(datetime.fromisoformat(payment["captured_at"])),
        "amount": language.money(payment["amount"]),
    }


def _refund(refund: Row, language: Language) -> Row:
    status, done = refund["status"], refund["succeeded_at"]
    if status == "succeeded":
        when = language.moment(datetime.fromisoformat(done))
    else:
        when = language.say(f"refund_{status}", day=language.day(date.fromisoformat(refund["due_on"])))
    return {
        "kind": language.say("refund"),
        "card": "",
        "day": when,
        "amount": f"−{language.money(refund['amount'])}",  # noqa: RUF001  A minus sign.
    }
