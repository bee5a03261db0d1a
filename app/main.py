"""The API's entry point: `uvicorn app.main:app`."""

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline

from app import __version__, openapi
from app.airlines import service as airlines
from app.airports import service as airports
from app.api import CALLS, LARGER_BODIES, OTHER_BODIES, ROUTERS, SEARCHES
from app.auth import keys, revoked, tokens
from app.bookings.hotpath import HotPath
from app.core import copies, db, gathering, http, logging, redis, tracing, written
from app.core.config import settings
from app.core.errors import AppError
from app.core.web import headers, problems
from app.core.web.context import Edge, Limits, RequestContext
from app.core.web.door import Door
from app.core.web.ending import ending
from app.core.web.headers import Cors
from app.core.web.limits import Limit, Policy
from app.core.web.proxies import Proxies
from app.core.web.traced import Traced
from app.flights import schedule, watch
from app.live import streams
from app.offers import hotpath
from app.offers import service as offers
from app.rules import service as rules
from app.timetable import service as timetable


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    """Open connections and read reference data; close in reverse."""
    tracing.begin("api")
    db.connect()
    redis.connect()
    http.connect()
    try:
        await airports.load()
        await airlines.load()
        await rules.load()
        await offers.describe_aircraft()
        # The reference data live as long as the process: the collector need not look at them again.
        gc.collect()
        gc.freeze()
        fresh = copies.kept_fresh(airports.copy, airlines.copy, *rules.copies())
        together = gathering.kept_together()
        async with (
            together,
            fresh,
            timetable.kept_fresh(),
            revoked.kept_fresh(),
            streams.serving(),
            ending.awaited(),
        ):
            yield
    finally:
        await schedule.close()
        await watch.close()
        await http.disconnect()
        await redis.disconnect()
        await db.disconnect()
        await asyncio.to_thread(tracing.end)


def create_api() -> FastAPI:
    """Routes and their description, with settings checked before anything is served."""
    settings()
    logging.configure()
    api: FastAPI = FastAPIOffline(
        title="Jetway",
        version=__version__,
        summary="Flight search, seats and bookings.",
        description=openapi.DESCRIPTION,
        lifespan=lifespan,
        # Ours names no person; FastAPI's, which a variable would switch on, sends messages of exceptions.
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
        redirect_slashes=False,  # Where to would be put together from the host that the caller names.
    )
    problems.install(api)
    for part in ROUTERS:
        api.include_router(part)
    api.webhooks.include_router(CALLS)
    openapi.install(api)
    return api


def create_app() -> RequestContext | Traced:
    """The API in what is around FastAPI, so that every answer has a request id, the unexpected 500 too, and a hot
    search pays for nothing that it does not use.
    """
    gathering.require_folder()
    door = Door(HotPath(create_api()), LARGER_BODIES, OTHER_BODIES)
    served = RequestContext(door, hotpath.shortcut, _edge(), _limits())
    return Traced(served, ready={hotpath.ROUTE}) if tracing.is_wanted() else served


def _edge() -> Edge:
    known, origins = settings(), written.listed(settings().cors_origins)
    proxies = Proxies(written.listed(known.trusted_proxies), uvicorn_was_told=bool(known.forwarded_allow_ips))
    return Edge(
        proxies,
        Cors(origins, credentials=known.cors_allow_credentials) if origins else None,
        headers.on_every_answer(encrypted=known.app_env == "production"),
    )


def _limits() -> Limits | None:
    known = settings()
    if not known.rate_limit_enabled:
        return None
    anonymous, user, *dearer = (
        Limit(policy, known.api_processes)
        for policy in (
            Policy("anonymous", known.a_minute(known.rate_limit_per_minute, 60)),
            Policy("user", known.a_minute(known.rate_limit_users_per_minute, 300)),
            Policy("search", known.a_minute(known.rate_limit_searches_per_minute, 30), SEARCHES),
            Policy(
                "book", known.a_minute(known.rate_limit_bookings_per_minute, 10), ("/bookings",), ("POST",)
            ),
            Policy("webhooks", known.a_minute(known.rate_limit_webhooks_per_minute, 30), ("/webhooks/*",)),
        )
    )
    return Limits(anonymous, user, dearer, _user)


def _user(authorization: bytes) -> str | None:
    """The account of a valid access token or of a key that is known here, as limits know it."""
    scheme, _, token = authorization.partition(b" ")
    try:
        caller = _caller(token.decode("latin-1")) if scheme.lower() == b"bearer" else None
    except AppError:
        return None
    return f"user:{caller.user_id}" if caller else None


def _caller(token: str) -> tokens.Caller | None:
    return keys.known(token) if token.startswith(keys.PREFIX) else tokens.read(token)


app = create_app()
