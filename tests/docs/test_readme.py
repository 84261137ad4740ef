"""The README and its neighbours say what is so."""

from __future__ import annotations

import importlib
import inspect
import re
import subprocess
import sys
import tomllib
from html import unescape
from pathlib import Path
from textwrap import indent
from typing import Any

import pytest
from cyclopts import App

import registry_fp
from registry_fp import Settings, connect, docker_save, push, unwrap
from registry_fp.archive import layer_pass
from registry_fp.cli.app import app
from registry_fp.pipelines import plan
from registry_fp.pipelines import push as railway
from registry_fp.testing import EmbeddedRegistry
from tests.docs.blocks import ROOT, blocks_of, blurred, table_of
from tests.docs.reader import Reader, is_a_recipe
from tests.docs.samples import REASONS, exit_codes, samples, transience
from tests.examples.picture import PICTURE, demonstrate

README = (ROOT / "README.md").read_text(encoding="utf-8")
PYPROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
PROJECT: dict[str, Any] = PYPROJECT["project"]
CONTRACTS: dict[str, Any] = {contract["id"]: contract for contract in PYPROJECT["tool"]["importlinter"]["contracts"]}
DOCUMENTS = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_block_runs_and_prints_what_is_shown(document: str, reader: Reader) -> None:
    """From the top, as somebody would who tries it; a block that cannot be tried fails, too."""
    reader.read(blocks_of(document))


def test_every_python_block_passes_mypy_with_the_settings_that_are_shown(tmp_path: Path) -> None:
    """Without a plugin, as in a strict project; and what the README says that they find and do not find is so."""
    recipe = "from registry_fp import Client, list_tags\n\n\nasync def recipe(client: Client) -> None:\n"
    for block in blocks_of("README.md"):
        if block.kind == "python":
            code = recipe + indent(block.code, "    ") if is_a_recipe(block) else block.code
            (tmp_path / f"line_{block.place.rpartition(':')[2]}.py").write_text(code)
    (tmp_path / "lost.py").write_text(
        f"{recipe}    await list_tags(client, 'ignored')\n    list_tags(client, 'lost')\n"
    )
    (settings,) = (block.code for block in blocks_of("README.md") if block.kind == "ini")
    (tmp_path / "mypy.ini").write_text(settings)
    command = [sys.executable, "-m", "mypy", "--no-incremental", "--no-error-summary", "--hide-error-context"]
    files = [path.name for path in tmp_path.glob("*.py")]
    done = subprocess.run([*command, *files], cwd=tmp_path, capture_output=True, text=True, check=False)
    errors = [line for line in done.stdout.splitlines() if "error:" in line] + done.stderr.splitlines()
    assert [error.partition(" ")[0] for error in errors if error.endswith("[unused-awaitable]")] == ["lost.py:6:"]
    assert len(errors) == 1, done.stdout + done.stderr


def test_the_table_of_reasons_is_the_closed_union() -> None:
    """In its order, with the decision about retrying and the exit code that the code makes of every sample."""
    table = [(name, retried, code) for name, _, retried, code, _ in table_of("README.md", "reason")]
    assert table == [(kind.__name__, transience(kind), exit_codes(kind)) for kind in REASONS]


def test_the_exit_codes_are_those_of_the_code() -> None:
    """And those that only a process has: done, a bug, interrupted."""
    listed = re.search(r"^Exit codes: (.+?)\n\n", README, re.MULTILINE | re.DOTALL)
    assert listed is not None
    codes = {int(code) for code in re.findall(r"(?:^|;\s|and )(\d+)\b", listed[1])}
    assert codes == {0, 70, 130, 143} | {int(code) for kind in REASONS for code in exit_codes(kind).split(", ")}


def test_the_table_of_commands_has_every_command() -> None:
    """In the order of `--help`, and none that is still to be written."""
    shown = [row[0].split()[1] for row in table_of("README.md", "command")]
    assert list(dict.fromkeys(shown)) == [name for name in app if not name.startswith("-")]


def test_every_option_that_is_named_exists() -> None:
    """Of one command at least."""
    section = README.partition("## The command line")[2].partition("\n## ")[0]
    known = {name for command in app if not command.startswith("-") for name in _options(app[command])}
    assert set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", re.sub(r"registry-fp", "", section))) <= known


def test_the_dependencies_are_those_of_the_project() -> None:
    """Each with a reason, extras included."""
    paragraph = README.partition("\nDependencies: ")[2].partition("\n\n")[0]
    extras: dict[str, list[str]] = PROJECT["optional-dependencies"]
    required = [*PROJECT["dependencies"], *(each for extra in extras.values() for each in extra)]
    names = {re.split(r"[^\w.-]", requirement)[0] for requirement in required}
    assert set(re.findall(r"`([\w.-]+)`", paragraph)) == names | set(extras)


def test_the_floor_is_the_python_that_the_project_asks_for() -> None:
    """One number in two places."""
    assert f"at least {PROJECT['requires-python'].removeprefix('>=')}," in README


def test_the_diagram_has_the_stations_and_what_they_give() -> None:
    """The names in the code, in the order in which a push passes them."""
    (diagram,) = (block.code for block in blocks_of("README.md") if block.kind == "diagram")
    types, stations = (re.findall(r"[A-Za-z_]+", line) for line in diagram.splitlines()[:2])
    for station, given in zip(stations[:4], types, strict=True):
        assert re.search(rf"\[{given}\b", str(inspect.signature(getattr(railway, station)).return_annotation))


def test_the_layers_are_the_packages() -> None:
    """Each named once."""
    section = README.partition("## Layers")[2]
    packages = {entry.parent.name for entry in (ROOT / "registry_fp").glob("*/__init__.py")}
    assert sorted(re.findall(r"`(\w+)`:", section)) == sorted(packages | {"client"})


def test_the_verbs_are_those_of_the_door() -> None:
    """All that take a client, and the one that takes none."""
    paragraph = README.partition("\nEvery verb has one shape")[2].partition("\nSettings")[0]
    functions = {name: found for name in registry_fp.__all__ if inspect.isfunction(found := getattr(registry_fp, name))}
    verbs = {
        name for name, found in functions.items() if next(iter(inspect.signature(found).parameters), "") == "client"
    }
    assert set(re.findall(r"`(\w+)`", paragraph)) == verbs | {"validate"}


async def test_the_second_push_sends_nothing(folder: Path, embedded_registry: EmbeddedRegistry) -> None:
    """And says so in the words of the README."""
    target = f"{embedded_registry.host}/team/app:1.4"
    async with connect() as client:
        await unwrap(push(client, docker_save(folder / "app.tar"), target))
        again = await unwrap(push(client, docker_save(folder / "app.tar"), target))
    assert f"`{again.summary}`" in README


def test_the_numbers_are_those_of_the_code() -> None:
    """Pieces, what is held in memory, concurrency, patience."""
    settings = Settings()
    text = " ".join(README.split())
    assert f"pieces of {layer_pass._PIECE // 1024} KiB" in text
    assert f"{plan._HELD // 1024**2} MiB for all small blobs" in text
    assert f"({settings.concurrency} at once unless set otherwise)" in text
    assert f"stands still for {settings.idle_timeout:g} s" in text
    assert f"up to {settings.retries} times (`retries`)" in text


def test_the_picture_is_what_the_demonstration_says() -> None:
    """The same lines as today's run, but for numbers and for which blob is done first; small, and it loads nothing."""
    picture = PICTURE.read_text(encoding="utf-8")
    spans = re.findall(r'<text [^>]*clip-path="url\(#demo-line-(\d+)\)">(.*?)</text>', picture, re.DOTALL)
    lines: dict[str, str] = {}
    for line, text in spans:
        lines[line] = lines.get(line, "") + unescape(text).replace("\xa0", " ").rstrip("\n")
    plain = re.sub(r"\x1b\[[\d;]*m", "", demonstrate())
    assert _numberless(["$ registry-fp demo", *plain.splitlines()]) == _numberless(lines.values())
    assert len(picture) < 60_000
    assert re.findall(r"https?://[^\"' ]+", picture) == ["http://www.w3.org/2000/svg"]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_line_can_be_read_as_plain_text(document: str) -> None:
    """In a terminal of 120 columns."""
    lines = (ROOT / document).read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if len(line) > 120] == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_file_that_is_named_exists(document: str) -> None:
    """Links, pictures and paths."""
    text = (ROOT / document).read_text(encoding="utf-8")
    linked = re.findall(r"\]\(([^)#]+)\)", text)
    named = re.findall(r"`((?:registry_fp|tests)/[\w./]*)`", text)
    assert [path for path in (*linked, *named) if "://" not in path and not (ROOT / path).exists()] == []


def test_every_test_that_is_named_exists() -> None:
    """A checklist that names the first test to fail must not send anybody looking for it."""
    named = set(re.findall(r"`(test_\w+)`", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")))
    tests = [path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py")]
    assert {name for name in named if not any(f"def {name}(" in text for text in tests)} == set()


def test_the_ranks_of_the_layers_are_those_that_are_checked() -> None:
    """From the top."""
    ranks = CONTRACTS["layers"]["layers"]
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").partition("only point down: ")[2].partition(". ")[0]
    told = [re.findall(r"`(\w+)`", rank) for rank in text.split(";")]
    assert told == [re.findall(r"(?<!\()\b\w+", rank) for rank in ranks]


def test_every_variable_that_is_named_is_a_setting() -> None:
    """Which is how a variable gets its name; the one that names the file with settings is none itself."""
    named = set(re.findall(r"REGISTRY_FP_(\w+)", README))
    assert named <= {name.upper() for name in Settings.model_fields} | {"CONFIG"}


def test_every_symbol_of_the_changelog_exists() -> None:
    """They are qualified, so that they can be looked up; functions have parentheses."""
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8").partition("\n## ")[2]
    for symbol, call in re.findall(r"`(registry_fp(?:\.\w+)*\.\w+)(\(\))?`", text):
        module, _, name = symbol.rpartition(".")
        found = getattr(importlib.import_module(module), name)
        assert inspect.isfunction(found) == bool(call), symbol


def test_the_changelog_begins_with_this_version_or_with_what_is_unreleased() -> None:
    """Keep a Changelog: newest first."""
    heading = re.search(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert heading is not None
    assert heading[1] in {"Unreleased", PROJECT["version"]}


def test_every_reason_has_samples_and_is_at_the_door() -> None:
    """Whoever matches on a reason imports it from `registry_fp`."""
    for kind in REASONS:
        assert samples(kind)
        assert getattr(registry_fp, kind.__name__) is kind


def _options(command: App) -> set[str]:
    """Those of a command, or of all commands of a group."""
    if command.default_command is None:
        return {name for each in command if not each.startswith("-") for name in _options(command[each])}
    return {name for argument in command.assemble_argument_collection() for name in argument.names}


def _numberless(lines: Any) -> list[str]:
    blurry = (re.sub(r"\b[0-9a-f]{12}\b|\d[\d.]*", "#", blurred(line)) for line in lines)
    return sorted(re.sub(r"\s+", "", line) for line in blurry if line)
