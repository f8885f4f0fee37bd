"""Showing verdicts, and reading the events they come from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from authpipe.cli import output
from authpipe.errors import InvalidArgument
from authpipe.model import JsonObject, Scene, Verdict

SceneOption = Annotated[str, typer.Option("--scene", help=f"One of {', '.join(Scene)}.")]

_FINE = ("ok", "denied")


def read(file: Path | None) -> JsonObject | None:
    """The JSON object in `file`. Raises `InvalidArgument`."""
    if file is None:
        return None
    try:
        return msgspec.json.decode(file.read_bytes(), type=dict[str, Any])
    except OSError as error:
        raise InvalidArgument(f"{file}: {error.strerror}") from error
    except msgspec.MsgspecError as error:
        raise InvalidArgument(f"{file} must hold a JSON object: {error}") from error


def as_answer(verdict: Verdict) -> JsonObject:
    """The verdict as the HTTP API gives it."""
    from authpipe.api.answers import debug_answer

    answer: JsonObject = msgspec.to_builtins(debug_answer(verdict))
    return answer


def exit_code(answer: JsonObject) -> int:
    """0 continue, 3 deny, 1 when any step is neither ok nor denied."""
    if any(step["outcome"] not in _FINE for step in answer["steps"]):
        return 1
    return flow_exit_code(answer)


def flow_exit_code(answer: JsonObject) -> int:
    """0 continue, 3 deny, however the functions fared."""
    return 0 if answer["verdict"] == "continue" else 3


def show(answer: JsonObject, *, as_json: bool) -> None:
    """Verdict, changes, steps and logs."""
    if as_json:
        output.show_json(answer)
        return
    output.say(f"{answer['verdict']}" + (f": {answer['message']}" if answer["message"] else ""))
    for name, value in _changes(answer["effects"]):
        output.say(f"  {name} = {msgspec.json.encode(value).decode()}")
    for step in answer["steps"]:
        _show_step(step)


def _changes(effects: JsonObject) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for group in ("profile", "customData", "customDataOnce"):
        found += [(f"{group}.{name}", value) for name, value in effects[group].items()]
    for token in ("idToken", "accessToken", "loginToken"):
        found += [(f"{token}.{name}", value) for name, value in effects[token]["set"].items()]
        found += [(f"{token}.{name}", "(removed)") for name in effects[token]["remove"]]
    return found


def _show_step(step: JsonObject) -> None:
    skipped = ", skipped: the flow went on without it" if step["skipped"] else ""
    output.say(f"{step['funcName']}: {step['outcome']} in {step['durationMs']:.2f} ms{skipped}")
    for label in ("message", "detail"):
        if step.get(label):
            output.say(f"  {step[label]}")
    for arguments in step["logs"]:
        output.say("  log " + " ".join(msgspec.json.encode(each).decode() for each in arguments))
    for line in step["console"]:
        output.say(f"  console.{line['level']} " + " ".join(msgspec.json.encode(x).decode() for x in line["args"]))
    for warning in step["warnings"]:
        output.say(f"  warning: {warning}")
