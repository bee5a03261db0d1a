"""The API's entry point: `uvicorn app.main:app`."""

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi_offline import FastAPIOffline

from app import __version__, openapi
from app.airlines import service as airlines
from app.airports import service as airports
from app.api import CALLS, LARGER_BODIES, SEARCHES, router
from app.auth import revoked
from app.bookings.hotpath import HotPath
from app.core import copies, db, http, logging, redis
from app.core.config import settings
from app.core.web import problems, sse
from app.core.web.body_limit import MOST_BYTES, BodyLimit
from app.core.web.context import RequestContext
from app.core.web.limits import Limit
from app.flights import schedule, watch
from app.live import streams
from app.offers import hotpath
from app.offers import service as offers
from app.rules import service as rules
from app.timetable import service as timetable


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    """Open connections and read reference data; close in reverse."""
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
        # A search makes some ten thousand objects that are all gone when it is answered.
        gc.set_threshold(50_000, 20, 50)
        fresh = copies.kept_fresh(airports.copy, airlines.copy, *rules.copies())
        async with fresh, timetable.kept_fresh(), revoked.kept_fresh(), streams.serving(), sse.serving():
            yield
    finally:
        await schedule.close()
        await watch.close()
        await http.disconnect()
        await redis.disconnect()
        await db.disconnect()


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
        max_body_size=MOST_BYTES,
    )
    problems.install(api)
    api.include_router(router)
    api.webhooks.include_router(CALLS)
    openapi.install(api)
    return api


def create_app() -> RequestContext:
    """The API in what is around FastAPI, so that every answer has a request id, the unexpected 500 too, and a hot
    search pays for nothing that it does not use.
    """
    limited = BodyLimit(HotPath(create_api()), LARGER_BODIES)
    if not settings().rate_limit_enabled:
        return RequestContext(limited, hotpath.shortcut)
    every = Limit("default", settings().requests_a_minute)
    searches = Limit("searches", settings().searches_a_minute)
    return RequestContext(limited, hotpath.shortcut, every, dict.fromkeys(SEARCHES, searches))


app = create_app()
