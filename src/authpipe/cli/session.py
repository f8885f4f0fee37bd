"""Who the HTTP commands speak as: profiles on disk, variables, and the client made from them."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from authpipe.cli import output
from authpipe.cli.output import AsJson
from authpipe.errors import AuthpipeError, Unauthorized

if TYPE_CHECKING:
    import httpx

ProfileOption = Annotated[str, typer.Option("--profile", envvar="AUTHPIPE_PROFILE", help="Which login to use.")]

_TIMEOUT = 120.0


class Profile(msgspec.Struct, frozen=True):
    """A server and an access key to it."""

    server: str
    access_key_id: str
    access_key_secret: str


def login(
    server: Annotated[str, typer.Option(help="URL of the server.")],
    key_id: Annotated[
        str | None, typer.Option(envvar="AUTHPIPE_ACCESS_KEY_ID", help="accessKeyId; asked for when absent.")
    ] = None,
    key_secret: Annotated[
        str | None, typer.Option(envvar="AUTHPIPE_ACCESS_KEY_SECRET", help="accessKeySecret; better asked for.")
    ] = None,
    profile: ProfileOption = "default",
    as_json: AsJson = False,
) -> None:
    """Remember a server and an access key for the commands that speak HTTP.

    Without it, set AUTHPIPE_SERVER, AUTHPIPE_ACCESS_KEY_ID and AUTHPIPE_ACCESS_KEY_SECRET.

    Example: authpipe login --server http://127.0.0.1:8090
    """
    key_id = key_id or typer.prompt("accessKeyId", err=True)
    key_secret = key_secret or typer.prompt("accessKeySecret", hide_input=sys.stdin.isatty(), err=True)
    made = Profile(server.rstrip("/"), key_id.strip(), key_secret.strip())
    Client(made).call("GET", "/api/v3/list-pipeline-functions")
    profiles = _load()
    profiles[profile] = made
    _store(profiles)
    if as_json:
        output.show_json({"profile": profile, "server": made.server})
    else:
        output.say(f"logged in to {made.server} as {key_id}")


class Client:
    """Speaks to a server as one access key; errors become `AuthpipeError`."""

    def __init__(self, profile: Profile) -> None:
        import httpx

        self._profile = profile
        self._http = httpx.Client(base_url=profile.server, timeout=_TIMEOUT)
        self._token: str | None = None

    def call(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        """`data` of the answer, or the whole answer where there is no envelope."""
        answer = self._send(method, path, body, query)
        return answer if "verdict" in answer else answer.get("data")

    def _send(self, method: str, path: str, body: Any, query: dict[str, Any]) -> dict[str, Any]:
        if self._token is None:
            key = {"accessKeyId": self._profile.access_key_id, "accessKeySecret": self._profile.access_key_secret}
            self._token = _checked(self._request("POST", "/api/v1/token", key, {}))["data"]["access_token"]
        return _checked(self._request(method, path, body, query))

    def _request(self, method: str, path: str, body: Any, query: dict[str, Any]) -> httpx.Response:
        headers = {"authorization": f"Bearer {self._token}"} if self._token else {}
        parameters = {name: value for name, value in query.items() if value is not None}
        import httpx

        try:
            return self._http.request(method, path, json=body, params=parameters, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise AuthpipeError(f"{self._profile.server}: {error or type(error).__name__}") from error


def client(profile: str) -> Client:
    """A client for variables when they are set, else for the profile. Raises `Unauthorized`."""
    variables = [os.environ.get(f"AUTHPIPE_{name}") for name in ("SERVER", "ACCESS_KEY_ID", "ACCESS_KEY_SECRET")]
    server, key_id, secret = variables
    if server and key_id and secret:
        return Client(Profile(server.rstrip("/"), key_id, secret))
    found = _load().get(profile)
    if found is None:
        raise Unauthorized(f"not logged in (profile {profile}): run `authpipe login --server URL`")
    return Client(found)


def _checked(response: httpx.Response) -> dict[str, Any]:
    try:
        answer: dict[str, Any] = response.json()
    except ValueError as error:
        raise AuthpipeError(f"the server answered {response.status_code} without JSON") from error
    failed = response.status_code >= 400 or ("verdict" not in answer and answer.get("statusCode", 200) != 200)
    if failed:
        raise AuthpipeError(str(answer.get("message", response.status_code)))
    return answer


def _file() -> Path:
    home = os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config"
    return Path(home, "authpipe", "profiles.json")


def _load() -> dict[str, Profile]:
    if not _file().exists():
        return {}
    try:
        return msgspec.json.decode(_file().read_bytes(), type=dict[str, Profile])
    except msgspec.MsgspecError as error:
        raise AuthpipeError(f"{_file()} is damaged; delete it and log in again.") from error


def _store(profiles: dict[str, Profile]) -> None:
    _file().parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    written = _file().with_suffix(f".{os.getpid()}")
    descriptor = os.open(written, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(profiles), indent=2))
    written.replace(_file())
