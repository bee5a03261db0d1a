"""Pages of objects, the newest first."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from typing import Any

from sandbox.cards import forms
from sandbox.cards.books import Books, Call, Object, Shelf
from sandbox.cards.forms import Form
from sandbox.cards.refusals import invalid, missing

MOST, USUAL = 100, 10
PAGING = {"limit", "starting_after", "ending_before", "created"}
COMPARED: dict[str, Callable[[int, int], bool]] = {
    "gt": lambda made, given: made > given,
    "gte": lambda made, given: made >= given,
    "lt": lambda made, given: made < given,
    "lte": lambda made, given: made <= given,
}
# What each list can be narrowed by, apart from time.
FILTERS: dict[str, tuple[str, ...]] = {
    "payment_intents": (),
    "charges": ("payment_intent",),
    "refunds": ("payment_intent", "charge"),
    "balance_transactions": ("type", "source", "currency"),
    "events": ("type",),
}


def page(call: Call, name: str) -> Object:
    """One page of a list. Its parameters were checked before anything is looked at."""
    forms.only(call.form, PAGING | set(FILTERS[name]))
    limit = forms.integer(call.form, "limit")
    if limit is not None and limit > MOST:
        raise invalid("limit", "parameter_invalid_integer", f"limit must be {MOST} at most.")
    shelf, limit = shelves(call.books)[name], limit or USUAL
    found = list(islice(_fitting(call.form, name, shelf), limit + 1))
    more, data = len(found) > limit, found[:limit]
    if "ending_before" in call.form:
        data.reverse()
    return {"object": "list", "data": data, "has_more": more, "url": f"/v1/{name}"}


def shelves(books: Books) -> dict[str, Shelf]:
    return {
        "payment_intents": books.intents,
        "charges": books.charges,
        "refunds": books.refunds,
        "balance_transactions": books.transactions,
        "events": books.events,
    }


def _fitting(form: Form, name: str, shelf: Shelf) -> Any:
    """All that fit, from where the page begins."""
    wanted = {given: forms.text(form, given) for given in FILTERS[name] if given in form}
    compared = _times(form)
    after, before = forms.text(form, "starting_after"), forms.text(form, "ending_before")
    for param, identity in (("starting_after", after), ("ending_before", before)):
        if identity is not None and identity not in shelf:
            raise missing(name.removesuffix("s"), param, identity)
    walk = shelf.newest(after) if before is None else shelf.newer(before)
    return (
        thing
        for thing in walk
        if all(thing[given] == value for given, value in wanted.items())
        and all(COMPARED[how](thing["created"], moment) for how, moment in compared)
    )


def _times(form: Form) -> list[tuple[str, int]]:
    given = form.get("created")
    if given is None:
        return []
    if not isinstance(given, dict):
        moment = forms.integer(form, "created", 0) or 0
        return [("gte", moment), ("lte", moment)]
    forms.only(given, COMPARED)
    return [(how, forms.integer(given, how, 0) or 0) for how in given]
