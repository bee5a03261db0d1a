"""Webhooks of the signed-in user: subscriptions, what was delivered, and sending it again."""

from typing import Annotated

from fastapi import APIRouter, Header, Path, Query
from starlette.responses import JSONResponse, Response

from app.auth.dependencies import NOT_SIGNED_IN, CurrentUser
from app.core import db
from app.core.errors import CardNumberRefused
from app.core.shapes import Instant
from app.core.web.dependencies import SessionDep
from app.core.web.idempotency import IdempotencyInProgress, IdempotencyKeyReused, OnceDep
from app.core.web.pagination import Cursor, Limit
from app.core.web.problems import problems
from app.webhooks import service
from app.webhooks.errors import (
    DeliveryInProgress,
    DeliveryNotFound,
    SubscriptionNotActive,
    SubscriptionNotFound,
    TooManySecrets,
    TooManySubscriptions,
    URLNotAllowed,
)
from app.webhooks.schemas import (
    DeliveryDetails,
    DeliveryList,
    DeliveryOut,
    EventName,
    EventOut,
    ReplayIn,
    ReplayOut,
    State,
    SubscriptionIn,
    SubscriptionList,
    SubscriptionOut,
    SubscriptionPatch,
    SubscriptionWithSecret,
    TestIn,
    TestVector,
)

router = APIRouter(prefix="/webhooks", tags=["Webhooks"])

# What others serve and the product calls; only described.
calls = APIRouter(tags=["Webhooks"])

_ONCE = (IdempotencyInProgress, IdempotencyKeyReused)
_MINE = (*NOT_SIGNED_IN, SubscriptionNotFound)

Id = Annotated[str, Path(max_length=60)]


@router.post(
    "/subscriptions",
    status_code=201,
    response_model=SubscriptionWithSecret,
    responses=problems(*NOT_SIGNED_IN, *_ONCE, TooManySubscriptions, URLNotAllowed, CardNumberRefused),
)
async def create(caller: CurrentUser, once: OnceDep, data: SubscriptionIn) -> Response:
    """Be told of events at a URL. The secret that signs deliveries is in this answer and in no other."""
    await service.check_url(data.url)
    return await once.in_one(
        caller.user_id, 201, lambda session: service.create(session, caller.user_id, data), secret=True
    )


@router.get("/subscriptions", response_model=SubscriptionList, responses=problems(*NOT_SIGNED_IN))
async def list_subscriptions(
    caller: CurrentUser, session: SessionDep, limit: Limit = 20, cursor: Cursor = None
) -> JSONResponse:
    """Newest first."""
    return JSONResponse(await service.page(session, caller.user_id, cursor, limit))


@router.get("/subscriptions/{subscription_id}", response_model=SubscriptionOut, responses=problems(*_MINE))
async def read_subscription(caller: CurrentUser, session: SessionDep, subscription_id: Id) -> JSONResponse:
    """One subscription, without its secret."""
    return JSONResponse(await service.read(session, caller.user_id, subscription_id))


@router.patch(
    "/subscriptions/{subscription_id}",
    response_model=SubscriptionOut,
    responses=problems(*_MINE, URLNotAllowed, CardNumberRefused),
)
async def change_subscription(
    caller: CurrentUser, subscription_id: Id, data: SubscriptionPatch
) -> JSONResponse:
    """Change what is named. `paused` keeps deliveries waiting, `active` sends them on."""
    if data.url is not None:
        await service.check_url(data.url)
    async with db.transaction() as session:
        changed = await service.change(session, caller.user_id, subscription_id, data)
    return JSONResponse(changed)


@router.delete("/subscriptions/{subscription_id}", status_code=204, responses=problems(*_MINE))
async def delete_subscription(caller: CurrentUser, session: SessionDep, subscription_id: Id) -> Response:
    """Nothing more is sent, not even what waits."""
    await service.delete(session, caller.user_id, subscription_id)
    return Response(status_code=204)


@router.post(
    "/subscriptions/{subscription_id}/rotate-secret",
    response_model=SubscriptionWithSecret,
    responses=problems(*_MINE, *_ONCE, TooManySecrets),
)
async def rotate_secret(caller: CurrentUser, once: OnceDep, subscription_id: Id) -> Response:
    """A new secret, shown here only. For 24 hours the former one signs as well."""
    return await once.in_one(
        caller.user_id,
        200,
        lambda session: service.rotate(session, caller.user_id, subscription_id),
        secret=True,
    )


@router.get(
    "/subscriptions/{subscription_id}/deliveries", response_model=DeliveryList, responses=problems(*_MINE)
)
async def list_deliveries(
    caller: CurrentUser,
    session: SessionDep,
    subscription_id: Id,
    state: Annotated[list[State] | None, Query(max_length=5, description="May be repeated.")] = None,
    event: Annotated[list[EventName] | None, Query(max_length=40, description="May be repeated.")] = None,
    since: Annotated[Instant | None, Query(description="Events from then on.")] = None,
    until: Annotated[Instant | None, Query(description="Events up to then.")] = None,
    limit: Limit = 20,
    cursor: Cursor = None,
) -> JSONResponse:
    """What was sent and will be, the newest event first."""
    wanted = {"states": state, "types": event, "since": since, "until": until}
    found = await service.deliveries(session, caller.user_id, subscription_id, cursor, limit, **wanted)
    return JSONResponse(found)


@router.post(
    "/subscriptions/{subscription_id}/replay",
    status_code=202,
    response_model=ReplayOut,
    responses=problems(*_MINE, *_ONCE, SubscriptionNotActive),
)
async def replay(caller: CurrentUser, once: OnceDep, subscription_id: Id, data: ReplayIn) -> Response:
    """Send again what ended since a time, oldest first: what was given up or cancelled, unless `states` says else.

    At most 10,000 deliveries at once.
    """
    return await once.in_one(
        caller.user_id, 202, lambda session: service.replay(session, caller.user_id, subscription_id, data)
    )


@router.get(
    "/deliveries/{delivery_id}",
    response_model=DeliveryDetails,
    responses=problems(*NOT_SIGNED_IN, DeliveryNotFound),
)
async def read_delivery(caller: CurrentUser, session: SessionDep, delivery_id: Id) -> JSONResponse:
    """One delivery with what was sent, when, and what came back."""
    return JSONResponse(await service.delivery(session, caller.user_id, delivery_id))


@router.post(
    "/deliveries/{delivery_id}/redeliver",
    status_code=202,
    response_model=DeliveryOut,
    responses=problems(*NOT_SIGNED_IN, *_ONCE, DeliveryNotFound, DeliveryInProgress, SubscriptionNotActive),
)
async def redeliver(caller: CurrentUser, once: OnceDep, delivery_id: Id) -> Response:
    """Send it now, with the same id and body; that costs none of the scheduled attempts."""
    return await once.in_one(
        caller.user_id, 202, lambda session: service.redeliver(session, caller.user_id, delivery_id)
    )


@router.post(
    "/test",
    status_code=202,
    response_model=DeliveryOut,
    responses=problems(*_MINE, *_ONCE, SubscriptionNotActive),
)
async def test(caller: CurrentUser, once: OnceDep, data: TestIn) -> Response:
    """A real, signed `webhook.test`."""
    return await once.in_one(
        caller.user_id, 202, lambda session: service.test(session, caller.user_id, data.subscription_id)
    )


@router.get("/test-vector", response_model=TestVector)
async def read_test_vector() -> JSONResponse:
    """A signed delivery with its secrets, which everybody may know, to try a verifier on."""
    return JSONResponse(service.test_vector())


@calls.post(
    "event",
    status_code=204,
    operation_id="receive_event",
    responses={
        204: {"description": "Any 2xx within 15 seconds: delivered."},
        410: {"description": "Never again: the subscription is disabled."},
        "default": {"description": "Tried again, by the schedule."},
    },
)
def event(
    body: EventOut,
    webhook_id: Annotated[str, Header(alias="webhook-id", description="The event's id, at every attempt.")],
    webhook_timestamp: Annotated[
        str, Header(alias="webhook-timestamp", description="Of this attempt, in Unix seconds.")
    ],
    webhook_signature: Annotated[
        str,
        Header(
            alias="webhook-signature",
            description="`v1,` and the HMAC-SHA256 of `webhook-id.webhook-timestamp.body`, base64; one for each live "
            "secret, separated by spaces.",
        ),
    ],
    webhook_attempt: Annotated[str, Header(alias="webhook-attempt", description="From 1; not signed.")],
) -> None:
    """Something has happened. At least once, signed by Standard Webhooks; one that fails comes again."""
