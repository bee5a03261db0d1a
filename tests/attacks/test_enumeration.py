"""Attack: finding out what there is by trying."""

import statistics
from collections import Counter
from time import perf_counter
from typing import Any

from tests.ownership.conftest import Person, missing
from tests.support.client import Client
from tests.support.fleet import Fleet

ALPHABET = set("BCDFGHJKMNPQRSTVWXYZ23456789")
ROUNDS = 40
# Half of all pairs would be 0.5; a difference that can be used is near 0 or 1.
ALIKE = (0.25, 0.75)


def separable(one: list[float], other: list[float]) -> float:
    """How often a time of the one is longer than one of the other: 0.5 tells nothing."""
    return sum((a > b) + (a == b) / 2 for a in one for b in other) / (len(one) * len(other))


async def test_the_time_of_an_answer_tells_nothing_of_a_booking(ada: Person, bob: Person) -> None:
    """Ada's booking and none take Bob as long, and the answers are the same."""
    took: dict[str, list[float]] = {}
    bodies = set()
    for _ in range(ROUNDS):
        for pnr in (ada.ids["bookings"], "BBBBBB"):
            started = perf_counter()
            answer = await bob.client.get(f"/bookings/{pnr}")
            took.setdefault(pnr, []).append(perf_counter() - started)
            bodies.add(str({**answer.body, "request_id": ""}))

    assert len(bodies) == 1
    assert ALIKE[0] < separable(*took.values()) < ALIKE[1]


async def test_the_time_of_a_lookup_tells_nothing_of_a_reference(ada: Person, api: Client, sql: Any) -> None:
    """Whether the reference is wrong or the name, a guest is told the same, as late."""
    took: dict[str, list[float]] = {}
    bodies = set()
    for _ in range(ROUNDS):
        for pnr in (ada.ids["bookings"], "BBBBBB"):
            await sql("DELETE FROM guest_lookups")
            started = perf_counter()
            answer = await api.post("/bookings/lookup", {"pnr": pnr, "family_name": "Byron"})
            took.setdefault(pnr, []).append(perf_counter() - started)
            assert answer.status == 404
            bodies.add(str({**answer.body, "request_id": ""}))

    assert len(bodies) == 1
    assert ALIKE[0] < separable(*took.values()) < ALIKE[1]
    medians = [statistics.median(times) for times in took.values()]
    assert abs(medians[0] - medians[1]) < 0.02


async def test_references_that_are_tried_one_after_another(api: Client, sql: Any) -> None:
    """After a few failures there is no answer any more, right or wrong."""
    await sql("DELETE FROM guest_lookups")
    guesses = [f"B{first}{second}DF2" for first in "BCDFG" for second in "HJKMN"]

    answers = [await api.post("/bookings/lookup", {"pnr": pnr, "family_name": "Lovelace"}) for pnr in guesses]
    await sql("DELETE FROM guest_lookups")

    assert [answer.status for answer in answers].count(404) <= 20
    assert answers[-1].status == 429
    assert int(answers[-1].headers["Retry-After"]) > 0


async def test_references_cannot_be_foretold(traveller: Client, fleet: Fleet) -> None:
    """Each place of them is drawn by itself, from letters that are not mistaken for others."""
    flight = await fleet.flight(seats=60)
    offer = (await fleet.offer(traveller, flight))["id"]
    references = [(await traveller.book(offer)).body["pnr"] for _ in range(30)]

    assert len(set(references)) == 30
    assert set("".join(references)) <= ALPHABET
    assert all(len(reference) == 6 for reference in references)
    assert max(Counter(reference[:2] for reference in references).values()) < 6
    assert references != sorted(references)


async def test_ids_cannot_be_counted_up(ada: Person, bob: Person) -> None:
    """The next one, and the one before, are not somebody's."""
    for name in ("payments", "cancellations", "changes", "subscriptions", "deliveries", "devices"):
        hers, his = ada.ids[name].rpartition("_")[2], bob.ids[name].rpartition("_")[2]
        assert len(hers) >= 20, name
        assert hers[-8:] != his[-8:], name
        assert abs(int(hers[-8:], 16) - int(his[-8:], 16)) > 1000, name
        assert missing(ada.ids[name]) != ada.ids[name]
