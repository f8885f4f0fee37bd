"""Writes the generated parts of the documentation from the tables in the code; called by cog."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).resolve().parents[1] / "src" / "authpipe"


def table(heading: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a Markdown table."""
    print("| " + " | ".join(heading) + " |")
    print("|" + "---|" * len(heading))
    for row in rows:
        print("| " + " | ".join(_cell(value) for value in row) + " |")


def _cell(value: object) -> str:
    return str(value).replace("|", "\\|").replace("\n", " ").strip()


def modules() -> None:
    """Every folder of the package, each module with the sentence it begins with."""
    for folder in sorted({path.parent for path in PACKAGE.rglob("*.py")}):
        name = folder.relative_to(PACKAGE)
        if "migrations" in name.parts:
            continue
        files = [path for path in sorted(folder.glob("*.py")) if path.name != "__init__.py"]
        title = "authpipe" if folder == PACKAGE else name.as_posix()
        print(f"* **{title}**: {' '.join([_sentence(folder / '__init__.py'), *map(_entry, files)])}")
    worker = sorted((PACKAGE / "runtime" / "worker").glob("*.js"))
    print(f"* **runtime/worker**: The worker program. {' '.join(map(_entry, worker))}")


def _entry(path: Path) -> str:
    said = _sentence(path) if path.suffix == ".py" else _first_comment(path)
    return f"**`{path.name}`** {said}"


def _sentence(path: Path) -> str:
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) if path.exists() else None
    return " ".join((text or "").split("\n\n")[0].split())


def _first_comment(path: Path) -> str:
    said: list[str] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        text = line.strip().lstrip("/*").rstrip("/*").strip()
        if text.startswith(("@ts-", "deno-lint")):
            continue
        if said and (not text or text.startswith("@")):
            break
        said += [text] if text else []
    return " ".join(said)


def settings() -> None:
    """The settings table."""
    from authpipe.settings import SETTINGS

    rows = [
        (f"`{row.name}`", f"`{row.variable}`", row.slice, f"`{row.default}`" if str(row.default) else "", row.help)
        for row in SETTINGS
    ]
    table(("name", "variable", "part", "default", "meaning"), rows)


def pool_settings() -> None:
    """What a user pool's operator may set, with the values allowed."""
    from msgspec import inspect, structs

    from authpipe.model import PoolSettings

    info = inspect.type_info(PoolSettings)
    assert isinstance(info, inspect.StructType)
    remarks = _field_remarks("PoolSettings")
    defaults = {field.name: field.default for field in structs.fields(PoolSettings)}
    rows = [
        (f"`{f.encode_name}`", _type_name(f.type), f"`{_json(defaults[f.name])}`", remarks.get(f.name, ""))
        for f in info.fields
    ]
    table(("name", "type", "default", "meaning"), rows)


def _json(value: object) -> str:
    import msgspec

    return msgspec.json.encode(value).decode()


def _type_name(kind: Any) -> str:
    from msgspec import inspect

    if isinstance(kind, inspect.EnumType):
        return ", ".join(f"`{item.value}`" for item in kind.cls)
    word = type(kind).__name__.removesuffix("Type").lower()
    return {"str": "string", "int": "integer", "bool": "boolean"}.get(word, word)


def _field_remarks(class_name: str) -> dict[str, str]:
    """The `#:` comments above the fields of a class in model.py, by field."""
    lines = (PACKAGE / "model.py").read_text(encoding="utf-8").splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith(f"class {class_name}("))
    remarks, remark = {}, ""
    for line in lines[start + 1 :]:
        text = line.strip()
        if line and not line.startswith(" "):
            break
        if text.startswith("#:"):
            remark = f"{remark} {text[2:].strip()}".strip()
        elif ":" in text and remark:
            remarks[text.split(":")[0]], remark = remark, ""
    return remarks


def scenes() -> None:
    """Scenes, their aliases, and what a function finds and may change there."""
    from authpipe.engine import fields
    from authpipe.model import SCENE_ALIASES, Scene

    rows = [
        (
            f"`{scene}`",
            ", ".join(f"`{alias}`" for alias, meant in SCENE_ALIASES.items() if meant is scene),
            "after" if scene.is_post else "before",
            ", ".join(f"`{name}`" for name in fields.accumulators(scene)) or "none",
            _writable(fields.writable(scene)),
        )
        for scene in Scene
    ]
    table(("scene", "alias", "runs", "accumulators", "user fields taken back"), rows)


def _writable(names: Iterable[str]) -> str:
    from authpipe.engine import fields
    from authpipe.model import Scene

    usual = set(fields.writable(Scene.POST_REGISTER))
    named = set(names)
    if not named:
        return "none"
    extra = ", ".join(f"`{name}`" for name in sorted(named - usual))
    return "the profile" + (f" and {extra}" if extra else "")


def profile_fields() -> None:
    """The fields called "the profile"."""
    from authpipe.engine import fields
    from authpipe.model import Scene

    print(", ".join(f"`{name}`" for name in sorted(fields.writable(Scene.POST_REGISTER))) + ".")


def outcomes() -> None:
    """The outcome table."""
    from authpipe.model import OUTCOMES

    words = {
        "continue": "continue",
        "deny": "deny",
        "skip": "let through",
        "by_policy": "by `terminateOnTimeout`",
        "no_verdict": "no verdict: 503",
    }
    shown = {"none": "", "own": "the function's own", "failed": '"Custom code failed"', "retry": '"Try again"'}
    rows = [
        (
            f"`{outcome}`",
            row.meaning,
            words[row.before],
            words[row.after],
            shown[row.shown],
            "stays" if row.worker_survives else "replaced",
        )
        for outcome, row in OUTCOMES.items()
    ]
    heading = ("outcome", "meaning", "`PRE_*`, token and complete-info scenes", "`POST_*`", "end user reads", "worker")
    table(heading, rows)


def errors() -> None:
    """Every error a caller can be told about."""
    import authpipe.app  # noqa: F401 -- so that every error class exists
    from authpipe.errors import AuthpipeError

    rows = [(f"`{kind.code}`", kind.status, kind.message) for kind in _family(AuthpipeError)]
    table(("code", "status", "message when none is more exact"), sorted(set(rows), key=lambda row: (row[1], row[0])))


def _family(kind: type[Any]) -> Iterator[type[Any]]:
    yield kind
    for child in kind.__subclasses__():
        yield from _family(child)


def templates() -> None:
    """The catalogue."""
    from authpipe.catalogue.catalogue import load

    rows = [
        (
            f"`{item.id}`",
            item.title_en,
            ", ".join(f"`{scene}`" for scene in item.scenes),
            "yes" if item.asynchronous else "",
            _needs(item.needs),
        )
        for item in load().templates
    ]
    table(("id", "what it does", "scenes", "asynchronous", "needs"), rows)


def _needs(needs: Any) -> str:
    words = [f"`{name}`" for name in needs.variables]
    words += [word for word in ("network", "directory", "geo") if getattr(needs, word)]
    return ", ".join(words)


def routes() -> None:
    """Every path of the HTTP API."""
    from described import openapi

    rows = [
        (f"`{method.upper()}`", f"`{path}`", operation.get("summary") or operation.get("description", ""))
        for path, operations in sorted(openapi()["paths"].items())
        for method, operation in operations.items()
        if method in {"get", "post", "put", "patch", "delete"}
    ]
    table(("method", "path", "what it does"), rows)


def commands() -> None:
    """Every command of the CLI with its options."""
    from described import commands

    for words, command in commands():
        print(f"### `{words}`\n")
        print((command.help or "").split("\f")[0].strip().split("\n\n")[0].replace("\n", " ") + "\n")
        options = [
            (", ".join(f"`{o}`" for o in param.opts + param.secondary_opts), getattr(param, "help", "") or "")
            for param in command.params
            if param.opts != ["--help"] and not getattr(param, "hidden", False)
        ]
        if options:
            table(("argument or option", "meaning"), options)
            print()
