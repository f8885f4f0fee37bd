"""What can go wrong on the caller's side, one class a cause.

AuthpipeError
├── InvalidArgument        400  a value is missing, of the wrong type or out of range
│   └── MalformedBody      400  the body is not JSON, or nested too deep
├── Unauthorized           401  no credentials, or not good ones
├── Forbidden              403  good credentials, not for this
├── NotFound               404  no such thing in this user pool
├── MethodNotAllowed       405  the route exists, not with this HTTP method
├── Conflict               409  clashes with what is there
├── PayloadTooLarge        413  more bytes than the stated limit
├── QuotaExceeded          422  the user pool has all it may have
└── Overloaded             503  nothing was done; try again after `retry_after`

What a tenant's function did is never one of these: it is an `Outcome` (model.py).
"""


class AuthpipeError(Exception):
    """Base of every error a caller can be told about."""

    #: stable machine-readable name
    code = "internal_error"
    #: GenAuth `statusCode`, and the HTTP status where the real one is sent
    status = 500
    #: one sentence used when the raiser gives none
    message = "Something went wrong on our side."

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or self.message)
        self.message = message or self.message


class InvalidArgument(AuthpipeError):
    code = "invalid_argument"
    status = 400
    message = "A value is missing or wrong."


class MalformedBody(InvalidArgument):
    code = "malformed_body"
    message = "The body is not valid JSON."


class Unauthorized(AuthpipeError):
    code = "unauthorized"
    status = 401
    message = "Credentials are missing, wrong or expired."


class Forbidden(AuthpipeError):
    code = "forbidden"
    status = 403
    message = "These credentials do not allow this."


class NotFound(AuthpipeError):
    code = "not_found"
    status = 404
    message = "There is no such thing in this user pool."


class MethodNotAllowed(AuthpipeError):
    code = "method_not_allowed"
    status = 405
    message = "This route does not take that HTTP method."


class Conflict(AuthpipeError):
    code = "conflict"
    status = 409
    message = "This clashes with what is already there."


class PayloadTooLarge(AuthpipeError):
    code = "payload_too_large"
    status = 413
    message = "The body is larger than the limit."


class QuotaExceeded(AuthpipeError):
    code = "quota_exceeded"
    status = 422
    message = "The user pool's quota is used up."


class Overloaded(AuthpipeError):
    code = "overloaded"
    status = 503
    message = "Too busy to run this now; nothing was done."

    def __init__(self, message: str | None = None, *, retry_after: int = 1) -> None:
        super().__init__(message)
        #: whole seconds after which trying again makes sense
        self.retry_after = retry_after
