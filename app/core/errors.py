"""What the product can refuse, as one tree; each feature adds its own leaves in its `errors.py`.

AppError
├── BadRequest          400
├── Unauthorized        401
├── Forbidden           403
├── NotFound            404
├── Conflict            409
├── Gone                410
├── Unprocessable       422
├── TooManyRequests     429
└── Unavailable         503, retryable

An error carries its HTTP status and a stable `code`; `core.web.problems` renders it as RFC 9457.
"""

from typing import Any, ClassVar


class FieldProblem(dict[str, str]):
    """One wrong input field: a JSON pointer (or query parameter), a code and a message without the input."""

    def __init__(self, pointer: str, code: str, message: str) -> None:
        super().__init__(pointer=pointer, code=code, message=message)


class AppError(Exception):
    """Base of everything that is refused on purpose; the message is safe to show."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal_error"
    title: ClassVar[str] = "Something went wrong on our side"
    retryable: ClassVar[bool] = False
    # Where somebody else has named this kind of problem; ours are named by their code.
    type: ClassVar[str] = ""

    def __init__(
        self,
        detail: str = "",
        *,
        errors: list[FieldProblem] | None = None,
        retry_after: int | None = None,
        **members: Any,
    ) -> None:
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.errors = errors
        self.retry_after = retry_after
        self.members = members


class BadRequest(AppError):
    status = 400
    code = "bad_request"
    title = "The request cannot be read"


class Unauthorized(AppError):
    status = 401
    code = "unauthorized"
    title = "Sign in first"


class Forbidden(AppError):
    status = 403
    code = "forbidden"
    title = "Not allowed"


class NotFound(AppError):
    status = 404
    code = "not_found"
    title = "Nothing here"


class Conflict(AppError):
    status = 409
    code = "conflict"
    title = "Not possible in the present state"


class Gone(AppError):
    status = 410
    code = "gone"
    title = "No longer here"


class Unprocessable(AppError):
    status = 422
    code = "validation_error"
    title = "The input is not valid"


class CardNumberRefused(Unprocessable):
    code = "card_number_refused"
    title = "A payment card's number is in a text; none may ever reach us"


class TooManyRequests(AppError):
    status = 429
    code = "rate_limited"
    title = "Too many requests"
    retryable = True
    type = "https://iana.org/assignments/http-problem-types#quota-exceeded"


class Unavailable(AppError):
    status = 503
    code = "unavailable"
    title = "Not available at the moment"
    retryable = True
