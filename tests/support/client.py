"""The product as an app sees it, and the sandbox as its operator sees it."""

import itertools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import aiohttp

_numbers = itertools.count(1)
_people = itertools.count(1000)


@dataclass
class Answer:
    status: int
    headers: Any
    raw: bytes
    body: Any

    @property
    def code(self) -> str | None:
        """The stable code of a refusal."""
        return self.body.get("code") if isinstance(self.body, dict) else None


PASSWORD = "a window seat, please"


class Client:
    """Speaks JSON with one address, as one user once `token` is set."""

    def __init__(self, session: aiohttp.ClientSession, base: str, token: str | None = None) -> None:
        self.session, self.base, self.token = session, base, token
        self.user: dict[str, Any] = {}

    async def send(
        self, method: str, path: str, *, headers: dict[str, str] | None = None, **kw: Any
    ) -> Answer:
        headers = dict(headers or {})
        if self.token:
            headers.setdefault("Authorization", f"Bearer {self.token}")
        async with self.session.request(method, self.base + path, headers=headers, **kw) as response:
            raw = await response.read()
            as_json = raw and "json" in response.headers.get("content-type", "")
            body = await response.json(content_type=None) if as_json else None
            return Answer(response.status, response.headers, raw, body)

    async def get(self, path: str, *, headers: dict[str, str] | None = None, **params: Any) -> Answer:
        kept = {name: str(value) for name, value in params.items() if value is not None}
        return await self.send("GET", path, params=kept, headers=headers)

    async def post(self, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Answer:
        return await self.send("POST", path, json=body, headers=headers)

    async def search(self, origin: str, destination: str, day: date, **params: Any) -> Answer:
        query = {"origin": origin, "destination": destination, "departure_date": day.isoformat()}
        return await self.get("/flights/search", **query, **params)

    async def first_offer(self, origin: str, destination: str, day: date, **params: Any) -> dict[str, Any]:
        answer = await self.search(origin, destination, day, **params)
        assert answer.status == 200, answer.body
        offer: dict[str, Any] = answer.body["data"][0]
        return offer

    async def book(
        self, offer_id: str, passengers: list[dict[str, Any]] | None = None, **headers: str
    ) -> Answer:
        """Book for these people; without any for somebody new, and under a key for the same each time."""
        someone = None if headers else [adult(next(_people))]
        return await self.post("/bookings", booking(offer_id, passengers or someone), headers)

    async def signed_up(self) -> "Client":
        """A new account's own client."""
        email = f"traveller{next(_numbers)}@example.com"
        data = {"email": email, "password": PASSWORD, "full_name": "Ada Lovelace"}
        answer = await self.post("/auth/signup", data)
        assert answer.status == 201, answer.body
        client = Client(self.session, self.base, answer.body["access_token"])
        client.user = {**answer.body["user"], "refresh_token": answer.body["refresh_token"]}
        return client


class Sandbox:
    """The controls of the simulated outside world."""

    def __init__(self, session: aiohttp.ClientSession, base: str) -> None:
        self.session, self.base = session, base

    async def control(self, method: str, path: str, body: Any = None) -> Any:
        async with self.session.request(method, f"{self.base}/_sandbox{path}", json=body) as response:
            payload = await response.json()
            assert response.status == 200, payload
            return payload

    async def fault(self, name: str, path: str = "*", **options: Any) -> None:
        await self.control("POST", "/faults", {"fault": name, "path": path, **options})

    async def calls(self) -> dict[str, int]:
        """How often each vendor path was called since the journal was cleared."""
        counts: dict[str, int] = (await self.control("GET", "/journal"))["counts"]
        return counts

    async def flight(
        self, origin: str, destination: str, departs: datetime, arrives: datetime, **more: Any
    ) -> Any:
        """Add a flight to the world, between two instants."""
        body = {"airline": "ZZ", "number": str(9000 + next(_numbers) % 999), "aircraft": "A320", **more}
        times = {"departure": iso(departs), "arrival": iso(arrives)}
        return await self.control(
            "POST", "/flights", {**body, "origin": origin, "destination": destination, **times}
        )


async def patiently(ask: Callable[[], Awaitable[Answer]]) -> Answer:
    """What clients are told to do: where something takes too long, as on a machine under load, ask again."""
    for _ in range(4):
        if (answer := await ask()).status != 503:
            return answer
    return await ask()


def iso(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def in_days(days: int) -> date:
    return datetime.now(UTC).date() + timedelta(days=days)


# Of that age on each day that flights are sold for.
BORN = {"adult": "1990-12-10", "child": in_days(-7 * 365).isoformat(), "infant": in_days(-200).isoformat()}


def adult(number: int = 0, **more: Any) -> dict[str, Any]:
    letters = "".join(chr(65 + int(digit)) for digit in str(number))
    return {
        "type": "adult",
        "given_name": f"Ada {letters}",
        "family_name": "Lovelace",
        "born_on": BORN["adult"],
        **more,
    }


def booking(offer_id: str, passengers: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    return {
        "offer_id": offer_id,
        "passengers": passengers or [adult()],
        "contact": {"email": "ada@example.com", "phone": "+441632960000"},
    }


def as_offered(booked: dict[str, Any]) -> list[dict[str, Any]]:
    """A booking's slices as the offer had them: without the index that names them in the booking."""
    return [{name: value for name, value in one.items() if name != "index"} for one in booked["slices"]]
