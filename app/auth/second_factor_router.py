"""An authenticator as a second factor."""

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from app.auth import second_factor
from app.auth.dependencies import NOT_SIGNED_IN, CurrentUser
from app.auth.errors import NotConfirmed, Overloaded, SecondFactorOff, SecondFactorOn
from app.auth.schemas import ConfirmedCode, PasswordAgain, PasswordAndCode, RecoveryCodes, TotpSecret
from app.core.errors import TooManyRequests
from app.core.web.problems import problems

router = APIRouter(prefix="/auth/totp", tags=["Accounts"])

_REFUSALS = (*NOT_SIGNED_IN, NotConfirmed, TooManyRequests)


@router.post("", response_model=TotpSecret, responses=problems(*_REFUSALS, SecondFactorOn, Overloaded))
async def begin_totp(data: PasswordAgain, caller: CurrentUser) -> JSONResponse:
    """A secret for your authenticator. It counts once you have sent back a code of it."""
    return JSONResponse(await second_factor.begin(caller.user_id, data.password))


@router.post(
    "/confirm",
    response_model=RecoveryCodes,
    responses=problems(*_REFUSALS, SecondFactorOn, SecondFactorOff),
)
async def confirm_totp(data: ConfirmedCode, caller: CurrentUser) -> JSONResponse:
    """Switch the second factor on with a first code. Keep the recovery codes: they are shown this once."""
    codes = await second_factor.confirm(caller.user_id, caller.session_id, data.code)
    return JSONResponse({"recovery_codes": codes})


@router.post("/disable", status_code=204, responses=problems(*_REFUSALS, SecondFactorOff, Overloaded))
async def disable_totp(data: PasswordAndCode, caller: CurrentUser) -> Response:
    """Switch the second factor off, with a code of it or a recovery code."""
    await second_factor.disable(caller.user_id, data.password, data.code)
    return Response(status_code=204)


@router.post(
    "/recovery-codes",
    response_model=RecoveryCodes,
    responses=problems(*_REFUSALS, SecondFactorOff, Overloaded),
)
async def renew_recovery_codes(data: PasswordAndCode, caller: CurrentUser) -> JSONResponse:
    """Ten new recovery codes; the old ones are void."""
    codes = await second_factor.renew_recovery_codes(caller.user_id, data.password, data.code)
    return JSONResponse({"recovery_codes": codes})
