"""How commands speak: tables or JSON on stdout, one line of complaint on stderr, progress in between."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

AsJson = Annotated[bool, typer.Option("--json", help="Print machine-readable JSON.")]


def console() -> Console:
    """Where people read results."""
    # Piped output is read by programs: no line of it may be cut to a screen.
    return Console(highlight=False, width=None if sys.stdout.isatty() else 1000)


def show_json(value: Any) -> None:
    """Print `value` as JSON."""
    print(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def show_table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print a table; every cell is text, never markup."""
    table = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        table.add_row(*(escape(printable("" if cell is None else str(cell))) for cell in row))
    console().print(table)


def say(text: str) -> None:
    """Print a line for people."""
    console().print(escape(printable(text)), soft_wrap=True)


def complain(text: str) -> None:
    """One line on stderr."""
    print(f"authpipe: {printable(' '.join(text.split()))}", file=sys.stderr)


def progress(text: str) -> AbstractContextManager[Any]:
    """A spinner on stderr while something takes longer."""
    return Console(stderr=True).status(text)


def printable(text: str) -> str:
    """`text` with control characters spelt out: what functions wrote must not steer a terminal."""
    return "".join(each if each.isprintable() or each in "\n\t" else f"\\x{ord(each):02x}" for each in text)
