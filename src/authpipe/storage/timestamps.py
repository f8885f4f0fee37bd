"""Times as they look on the wire."""

from datetime import UTC, datetime


def rfc3339(seconds: float) -> str:
    """`seconds` since the epoch as RFC 3339 in UTC with milliseconds, such as 2022-07-03T03:20:30.000Z."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"
