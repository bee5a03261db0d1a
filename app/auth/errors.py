"""What accounts can refuse."""

from app.core.errors import Conflict, Forbidden, NotFound, Unauthorized, Unavailable, Unprocessable


class EmailTaken(Conflict):
    code = "email_taken"
    title = "There is an account with this e-mail address"


class WeakPassword(Unprocessable):
    code = "weak_password"
    title = "Choose a stronger password"


class InvalidCredentials(Unauthorized):
    code = "invalid_credentials"
    title = "E-mail address or password is wrong"


class InvalidToken(Unauthorized):
    code = "invalid_token"
    title = "The token is not valid"


class TokenExpired(Unauthorized):
    code = "token_expired"
    title = "The access token has expired; refresh it"


class RefreshTokenReused(Unauthorized):
    code = "refresh_token_reused"
    title = "This refresh token was used before; the session has been ended"


class AdminsOnly(Forbidden):
    code = "admins_only"
    title = "Only for administrators"


class SecondFactorRequired(Forbidden):
    code = "second_factor_required"
    title = "Administrators sign in with a second factor"


class SessionNotFound(NotFound):
    code = "session_not_found"
    title = "No session of yours has this id"


class ApiKeyNotFound(NotFound):
    code = "api_key_not_found"
    title = "No API key of yours has this id"


class TooManyApiKeys(Conflict):
    code = "too_many_api_keys"
    title = "Your account has as many API keys as it can; revoke one first"


class WrongKeyMode(Unauthorized):
    code = "wrong_key_mode"
    title = "Live keys work in production, test keys everywhere else"


class InsufficientScope(Forbidden):
    code = "insufficient_scope"
    title = "The API key may not do this"


class UserNotFound(NotFound):
    code = "user_not_found"
    title = "There is no such account"


class OwnAccount(Conflict):
    code = "own_account"
    title = "Nobody changes their own role or suspends themselves"


class TotpRequired(Unauthorized):
    code = "totp_required"
    title = "Send the code of your authenticator, or a recovery code, as `code`"


class LoginCodeRequired(Unauthorized):
    code = "login_code_required"
    title = "We have mailed you a code; send it as `code`, with this `attempt`"


class WrongCode(Unauthorized):
    code = "wrong_code"
    title = "The code is wrong, was used, or has expired"


class NotConfirmed(Forbidden):
    code = "not_confirmed"
    title = "The password or the code beside it is wrong"


class LinkNotValid(NotFound):
    code = "link_not_valid"
    title = "This link has been used, has expired, is void or never was"


class SecondFactorOn(Conflict):
    code = "second_factor_on"
    title = "This account has a second factor; switch it off first"


class SecondFactorOff(Conflict):
    code = "second_factor_off"
    title = "Begin with a new second factor first"


class Overloaded(Unavailable):
    code = "overloaded"
    title = "Too much at once; come back in a moment"
