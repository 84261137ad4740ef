"""Imports: what import-linter cannot say, because it is about single names and single files."""

from __future__ import annotations

import ast
import subprocess
import sysconfig
from importlib import import_module
from pathlib import Path

import registry_fp
from registry_fp._homes import HOMES
from tests.architecture.source import ROOT, modules

# Of `returns`, what may be used, and where. Everything else in it is unsound, untyped without a plugin, or unsafe.
RETURNS_ANYWHERE = {
    ("returns.future", "FutureResult"),
    ("returns.pipeline", "is_successful"),
    ("returns.result", "Failure"),
    ("returns.result", "Result"),
    ("returns.result", "Success"),
}
RETURNS_AT_THE_EXITS = {("returns.io", "IOResult"), ("returns.unsafe", "unsafe_perform_io")}


def _who(package: str) -> set[str]:
    return {
        module.name
        for module in modules()
        if any(name == package or name.startswith(f"{package}.") for name, _ in module.imports)
    }


def _known_to(layer: str, package: str) -> set[str]:
    return {
        name
        for module in modules()
        if module.layer == layer
        for name, _ in module.imports
        if name == package or name.startswith(f"{package}.")
    }


def test_the_contracts_between_the_layers_are_kept() -> None:
    """Imports only point down, values and wire stay pure, the command line uses the door: see pyproject.toml."""
    program = Path(sysconfig.get_path("scripts")) / "lint-imports"
    done = subprocess.run([program, "--no-cache"], cwd=ROOT.parent, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_two_files_of_the_library_know_aiohttp() -> None:
    """One makes the requests, the other names what can go wrong with them; the rest is testable without a socket."""
    library = {name for name in _who("aiohttp") if not name.startswith("registry_fp.testing")}
    assert library == {"registry_fp.transport.http"}


def test_the_unsafe_part_of_returns_is_known_to_the_exits_alone() -> None:
    """Everywhere else an effect stays an effect."""
    assert _who("returns.unsafe") == {"registry_fp.effect.exits"}


def test_only_the_sound_part_of_returns_is_used() -> None:
    """No `managed`, `Fold`, `flow`, `pipe`, `curry` or bare `future_safe`: they lose types, resources or the stack."""
    strange = {
        module.name: used - RETURNS_ANYWHERE
        for module in modules()
        if (used := {pair for pair in module.imports if pair[0].partition(".")[0] == "returns"}) - RETURNS_ANYWHERE
    }
    assert strange == {"registry_fp.effect.exits": RETURNS_AT_THE_EXITS}


def test_nobody_uses_the_do_notation() -> None:
    """`FutureResult.do` turns a bug into a typed failure and costs six binds a step."""
    assert [module.name for module in modules() if module.uses_do] == []


def test_no_import_is_relative() -> None:
    """A file can be moved, and a name found, by one search."""
    assert [module.name for module in modules() if any(name.startswith(".") for name, _ in module.imports)] == []


def test_operations_know_the_port_of_the_transport_and_nothing_else_of_it() -> None:
    """A request, a send, a decode: whatever carries it."""
    assert _known_to("operations", "registry_fp.transport") == {"registry_fp.transport.port"}


def test_the_command_line_imports_the_two_doors_and_its_own_files() -> None:
    """What it needs and cannot get there, a user cannot get either."""
    known = {name for name in _known_to("cli", "registry_fp") if not name.startswith("registry_fp.cli")}
    assert known <= {"registry_fp", "registry_fp.testing"}


def test_the_door_leads_type_checkers_and_the_interpreter_to_the_same_files() -> None:
    """The names are loaded when they are asked for, so what is written for one of the two must be true for both."""
    door = ast.parse((ROOT / "__init__.py").read_text(encoding="utf-8"))
    shown = {
        alias.name: node.module
        for node in ast.walk(door)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("registry_fp.")
        for alias in node.names
    }
    assert shown.pop("HOMES") == "registry_fp._homes"
    assert shown == dict(HOMES)
    assert set(HOMES) == set(registry_fp.__all__)
    for name, home in HOMES.items():
        assert getattr(registry_fp, name) is getattr(import_module(home), name)
