"""One word per thing: names of modules, classes and functions, and what the package exports."""

import ast
import re
from collections.abc import Callable
from pathlib import Path

import authpipe

NOT_A_RESPONSIBILITY = {"utils", "util", "common", "helpers", "helper", "core", "misc", "base"}
#: said otherwise in the glossary
FOREIGN_WORDS = {"tenant", "trigger", "triggers", "workflow", "job", "jobs", "rpc", "firewall", "runner"}
#: public names of the package; one more is a promise
EXPORTED = {"Effects", "Invocation", "Outcome", "Pipelines", "Scene", "Verdict", "__version__"}


def test_no_module_is_a_drawer(python_files: list[Path], javascript_files: list[Path]) -> None:
    names = {part for path in python_files + javascript_files for part in (path.stem, path.parent.name)}
    assert names & NOT_A_RESPONSIBILITY == set()


def test_names_use_the_words_of_the_glossary(parsed: dict[Path, ast.Module], short: Callable[[Path], str]) -> None:
    found = [
        f"{short(path)}: {node.name}"
        for path, tree in parsed.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and FOREIGN_WORDS & set(_words(node.name))
    ]
    assert found == []


def test_the_package_exports_what_it_promises() -> None:
    assert set(authpipe.__all__) == EXPORTED
    assert all(hasattr(authpipe, name) for name in EXPORTED)


def _words(name: str) -> list[str]:
    return [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)]


def test_words_are_told_apart_in_either_spelling() -> None:
    assert _words("RunJobRPC") == ["run", "job", "rpc"]
    assert _words("run_job") == ["run", "job"]
