"""The life of somebody whose every word can be told from everybody else's, and a search for what is left of it."""

from dataclasses import dataclass, field
from inspect import unwrap
from typing import Any

from app.bookings import tasks
from tests.bookings.paid import agree, cancelled, change_quoted, confirm_change, leaves, read, settled
from tests.bookings.test_completed import NINE_HOURS_AGO, completed
from tests.notifications.support import Mails
from tests.support.client import Client, in_days
from tests.support.fleet import Fleet, Flight
from tests.webhooks.support import Hooks

EMAIL, PASSWORD, NAME = "canary.owner@example.com", "canary passphrase 77", "Zephyrine Quillfeather"
CONTACT, PHONE, DOCUMENT, COMPANIONS = (
    "canary.contact@example.com",
    "+441632960077",
    "CANARYDOC77",
    "CANARYDOC78",
)
DEVICE_TOKEN = "canary-push-77"

# What is found in the database while its owner has an account.
CANARIES = {
    "the account's e-mail": EMAIL,
    "the full name": NAME,
    "the user agent": "CanaryPhone/7.7",
    "a given name": "Fenchurchina",
    "a family name": "Kanariemoen",
    "a companion's given name": "Tricialina",
    "a companion's family name": "Macmillanovsky",
    "a date of birth": "1971-03-23",
    "a companion's date of birth": "1973-05-19",
    "the contact's e-mail": CONTACT,
    "the contact's telephone": PHONE,
    "a frequent flyer's number": "CANARYFF77",
    "the text of a special service": "allergic to canary seed",
    "a webhook's path": "canary-path-77",
    "a webhook's description": "hears the canary",
    "what a receiver answered": "canary answer 77",
    "the name of a device": "Canary's telephone",
    "an Idempotency-Key": "canary-key-77",
    "the name of a key": "canary's own server",
    "another e-mail address": "canary.next@example.com",
}
# What is not even found then.
SEALED = {
    "the password": PASSWORD,
    "a document's number": DOCUMENT,
    "a companion's document's number": COMPANIONS,
    "a device's token": DEVICE_TOKEN,
}


@dataclass
class Life:
    """Somebody who signs up, books for two, flies, changes, cancels, and hears of it in every way there is."""

    api: Client
    sql: Any
    fleet: Fleet
    hooks: Hooks
    mails: Mails
    client: Client = field(init=False)
    pnrs: list[str] = field(default_factory=list)
    flights: list[Flight] = field(default_factory=list)

    async def begin(self) -> None:
        account = {"email": EMAIL, "password": PASSWORD, "full_name": NAME}
        agent = {"User-Agent": CANARIES["the user agent"]}
        signed_up = await self.api.send("POST", "/auth/signup", json=account, headers=agent)
        assert signed_up.status == 201, signed_up.body
        self.client = Client(self.api.session, self.api.base, signed_up.body["access_token"])
        self.client.user = signed_up.body["user"]
        logged_in = {"email": EMAIL, "password": PASSWORD}
        await self.api.send("POST", "/auth/login", json=logged_in, headers=agent)
        await self.api.post("/auth/login", {"email": EMAIL, "password": "not the canary's"})
        device = {
            "token": DEVICE_TOKEN,
            "platform": "android",
            "name": CANARIES["the name of a device"],
            "time_zone": "Europe/Oslo",
        }
        assert (await self.client.post("/devices", device)).status == 201
        preferences = {"flight_alerts": {"email": True}, "quiet_hours": {"from": "03:00", "to": "03:01"}}
        answer = await self.client.send("PATCH", "/notifications/preferences", json=preferences)
        assert answer.status == 200, answer.body
        await self.known_by_other_means()
        path = "/" + CANARIES["a webhook's path"]
        self.hooks.receiver.answer(200, path, text=CANARIES["what a receiver answered"])
        await self.hooks.subscribed(
            "*", path=path, by=self.client, description=CANARIES["a webhook's description"]
        )

    async def known_by_other_means(self) -> None:
        """What an app says of itself, a server's key, an address that is to be confirmed, a code for bad days."""
        user_id = self.client.user["id"]
        for statement, value in (
            ("UPDATE sessions SET user_agent = :value WHERE user_id = :id", CANARIES["the user agent"]),
            (
                (
                    "INSERT INTO api_keys (id, user_id, name, mode, shown, key_hash, scopes) VALUES"
                    " (gen_random_uuid(), :id, :value, 'test', 'jtw_test_…', sha256('1'), '{bookings:read}')"
                ),
                CANARIES["the name of a key"],
            ),
            (
                (
                    "INSERT INTO challenges (id, user_id, purpose, email, nonce, token_hash, expires_at) VALUES"
                    " (gen_random_uuid(), :id, 'change_email', :value, '1', sha256('1'), now() + interval '1 hour')"
                ),
                CANARIES["another e-mail address"],
            ),
            (
                "INSERT INTO recovery_codes (user_id, code_hash) VALUES (:id, CAST(:value AS text)::bytea)",
                "1",
            ),
        ):
            await self.sql(statement, id=user_id, value=value)

    async def go_on(self) -> None:
        await self.flown()
        await self.changed_and_cancelled()
        await self.told()

    async def flown(self) -> None:
        """A trip for two that is over."""
        flight = await self.flight()
        pnr = await self.booked(flight)
        await self.pay(pnr)
        booking = await read(self.client, pnr)
        flight_id = booking["slices"][0]["segments"][0]["flight_id"]
        assert (await self.client.post(f"/flights/{flight_id}/follow")).status == 201
        await leaves(self.sql, flight, 120)
        checked_in = await self.client.post(f"/bookings/{pnr}/check-in", {"flight_id": flight_id})
        assert checked_in.status == 200, checked_in.body
        await self.told()
        await self.guest(pnr)
        await leaves(self.sql, flight, NINE_HOURS_AGO)
        await self.sql("UPDATE flights SET status = 'landed' WHERE id = :id", id=flight.id)
        await completed(self.sql)
        assert (await read(self.client, pnr))["status"] == "completed"

    async def changed_and_cancelled(self) -> None:
        """A declined card, another one, other flights, and all of it given back."""
        flight, other = await self.flight(), await self.flight()
        pnr = await self.booked(flight)
        declined = await self.client.post(
            f"/bookings/{pnr}/payments", {"payment_method": "pm_card_visa_chargeDeclined"}
        )
        assert declined.status == 402, declined.body
        await self.pay(pnr)
        await agree(self.sql, pnr, "void_until", minutes=-1)
        booking = await read(self.client, pnr)
        quote = await change_quoted(self.client, self.fleet, booking, other)
        assert quote.status == 201, quote.body
        changed = await confirm_change(self.client, pnr, quote.body, "pm_card_mastercard")
        assert changed.status == 200, changed.body
        await cancelled(self.client, pnr)
        await settled()
        await unwrap(tasks.settle_payments)()  # What the declined card had reserved is let go.

    async def flight(self) -> Flight:
        self.flights.append(await self.fleet.flight())
        return self.flights[-1]

    async def booked(self, flight: Flight) -> str:
        offers = await self.fleet.offers(self.client, flight, adults=2)
        offer = next(one for one in offers if one["fare_brand"] == "Flex")
        body = {
            "offer_id": offer["id"],
            "passengers": self.people(),
            "contact": {"email": CONTACT, "phone": PHONE},
        }
        key = {"Idempotency-Key": f"{CANARIES['an Idempotency-Key']}-{flight.number}"}
        answer = await self.client.post("/bookings", body, key)
        assert answer.status == 201, answer.body
        self.pnrs.append(answer.body["pnr"])
        return self.pnrs[-1]

    def people(self) -> list[dict[str, Any]]:
        def document(number: str) -> dict[str, Any]:
            expires = in_days(900).isoformat()
            return {"type": "passport", "number": number, "issuing_country": "GB", "expires_on": expires}

        return [
            {
                "type": "adult",
                "title": "dr",
                "given_name": CANARIES["a given name"],
                "family_name": CANARIES["a family name"],
                "born_on": CANARIES["a date of birth"],
                "gender": "f",
                "document": document(DOCUMENT),
                "loyalty": [{"airline": "ZZ", "number": CANARIES["a frequent flyer's number"]}],
                "services": [{"code": "MEDA", "text": CANARIES["the text of a special service"]}],
            },
            {
                "type": "adult",
                "given_name": CANARIES["a companion's given name"],
                "family_name": CANARIES["a companion's family name"],
                "born_on": CANARIES["a companion's date of birth"],
                "document": document(COMPANIONS),
            },
        ]

    async def pay(self, pnr: str) -> None:
        paid = await self.client.post(f"/bookings/{pnr}/payments", {"payment_method": "pm_card_visa"})
        assert paid.status == 201, paid.body

    async def guest(self, pnr: str) -> None:
        known = {"pnr": pnr, "family_name": CANARIES["a family name"]}
        assert (await self.api.post("/bookings/lookup", known)).status == 200
        assert (await self.api.post("/bookings/lookup/link", known)).status == 202
        await self.told()
        # As after a day: links go long before the mails that they came in.
        await self.sql("DELETE FROM guest_links WHERE created_at < now()")

    async def told(self) -> None:
        """Everything that waits is written, mailed, pushed and delivered."""
        await self.hooks.delivered()
        await self.mails.sent()


async def found_in_tables(sql: Any, canaries: dict[str, str]) -> set[str]:
    """Where a canary stands, as `column of table: what it is`, in any table whatsoever, as text or as bytes."""
    found = set()
    columns = await sql(
        """
        SELECT c.table_name, c.column_name, c.data_type FROM information_schema.columns c
        JOIN information_schema.tables t USING (table_schema, table_name)
        WHERE c.table_schema = 'public' AND t.table_type = 'BASE TABLE'
        """
    )
    tables: dict[str, list[str]] = {}
    for column in columns:
        tables.setdefault(column["table_name"], []).append(column["column_name"])
    looked_for = [(what, text.lower()) for what, text in canaries.items()]
    looked_for += [(what, text.encode().hex()) for what, text in canaries.items()]
    for table, names in tables.items():
        row = ", ".join(f't."{name}"::text' for name in names)
        hits = await sql(
            f"""
            WITH everything AS MATERIALIZED (
                SELECT lower(string_agg(concat_ws(' ', {row}), ' ')) AS text FROM "{table}" t)
            SELECT DISTINCT what FROM everything
            JOIN unnest(CAST(:whats AS text[]), CAST(:canaries AS text[])) AS c(what, canary)
                ON position(canary IN text) > 0
            """,
            whats=[what for what, _ in looked_for],
            canaries=[canary for _, canary in looked_for],
        )
        found |= {f"{table}: {hit['what']}" for hit in hits}
    return found
