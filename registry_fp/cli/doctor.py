"""The doctor: what works with a registry and what does not, for people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from returns.pipeline import is_successful
from returns.result import Result
from rich.console import Group, RenderableType
from rich.table import Column, Table
from rich.text import Text

from registry_fp import (
    Diagnosis,
    DoctorOptions,
    Err,
    Finding,
    Ok,
    RegistryError,
    Topic,
    connect,
    doctor,
    parse_host,
    parse_repository,
    settle,
)
from registry_fp.cli.answer import Answer
from registry_fp.cli.doctor_document import diagnosis_document
from registry_fp.cli.options import RemoteOptions, ShowOptions
from registry_fp.cli.printable import printable
from registry_fp.cli.run import run
from registry_fp.cli.session import Session, in_time, prepare
from registry_fp.cli.terminal import Terminal

__all__ = ["ask_doctor"]

_GROUPS: Final[tuple[tuple[str, tuple[Topic, ...]], ...]] = (
    ("The way there", ("reach", "tls", "proxy", "mirror", "registry", "clock")),
    ("Who we are", ("realm", "credentials", "access")),
    ("What we may do", ("pull", "push", "delete", "delete blob")),
)
_GROUPED: Final = frozenset(topic for _, topics in _GROUPS for topic in topics)
_WIDTH: Final = 14
_READABLE: Final = "Nothing has to be mended to read there; each ✗ has its own hint."


def ask_doctor(place: str, remote: RemoteOptions, show: ShowOptions, *, read_only: bool) -> int:
    """What is wrong there? Exit code 1 where something has to be mended."""

    async def asked(terminal: Terminal, session: Result[Session, RegistryError]) -> int:
        if not is_successful(session):
            return terminal.fail(session.failure())
        chosen = session.unwrap()
        async with connect(chosen.settings, keychain=chosen.keychain) as client:
            examined = doctor(client, place, options=DoctorOptions(writes=not read_only))
            match await settle(in_time(examined, chosen.timeout, "doctor", place)):
                case Ok(found):
                    return terminal.write(_answer(found)) or int(bool(found.ills))
                case Err(error):
                    return terminal.fail(error)

    host = parse_repository(place).map(lambda name: name.host) if "/" in place else parse_host(place)
    return run(show, lambda terminal: asked(terminal, prepare(remote, show, host)))


def _answer(found: Diagnosis) -> Answer:
    document = diagnosis_document(found)
    return Answer(document, Group(*_parts(found)), "\n".join(document.ills), document.findings)


def _parts(found: Diagnosis) -> Iterator[RenderableType]:
    kind = "" if found.profile == "plain" else f", a registry of the kind {found.profile}"
    yield Text.assemble((printable(found.repository or found.host), "bold"), f"  {printable(found.url)}{kind}")
    for title, topics in _GROUPS:
        yield from _group(title, [each for each in found.findings if each.topic in topics], "✗", "bold red", "cyan")
    rest = [each for each in found.findings if each.topic not in _GROUPED]
    yield from _group("What the registry can", rest, "-", "yellow", "dim")
    yield Text("")
    yield from _end(found)


def _group(title: str, findings: list[Finding], no: str, alarm: str, advice: str) -> Iterator[RenderableType]:
    if not findings:
        return
    yield Text("")
    yield Text(title, style="bold")
    marks = {"yes": Text("✓", "green"), "no": Text(no, alarm), "unknown": Text("?", "dim")}
    table = Table.grid(Column(width=1), Column(width=1), Column(width=_WIDTH), Column(), padding=(0, 1, 0, 0))
    for each in findings:
        table.add_row("", marks[each.verdict], each.topic, printable(each.told))
        if each.hint is not None:
            table.add_row("", "", "", Text(f"hint: {printable(each.hint)}", advice))
    yield table


def _end(found: Diagnosis) -> Iterator[Text]:
    """What to do now, in one look."""
    if not found.ills:
        is_crossed = any(each.verdict == "no" and each.topic in _GROUPED for each in found.findings)
        yield Text(_READABLE, "yellow") if is_crossed else Text("Nothing to mend.", "green")
        return
    yield Text("To mend, in this order:" if len(found.ills) > 1 else "To mend:", "bold red")
    for number, each in enumerate(found.ills, start=1):
        yield Text(f"  {number}. {each.topic}: {printable(each.hint or each.told)}")
