"""What accounts can refuse."""

from app.core.errors import Conflict, Forbidden, Unauthorized, Unprocessable


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
