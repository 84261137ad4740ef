"""Errands: work that moves an image, watched while it is done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar, final

from returns.result import Result

from registry_fp import Client, Err, Event, ManifestStored, Ok, OnEvent, Op, RegistryError
from registry_fp.cli.answer import Answer
from registry_fp.cli.options import RemoteOptions, ShowOptions
from registry_fp.cli.progress import watched
from registry_fp.cli.run import run
from registry_fp.cli.session import Question, Session, prepare, settled
from registry_fp.cli.terminal import Terminal

__all__ = ["Errand", "carry_out"]

T = TypeVar("T")


@final
@dataclass(frozen=True)  # no slots: frozen, slots and Generic together break before 3.13 (python/cpython#116669)
class Errand(Generic[T]):
    """What is done (`doing` and `target`, for an error), with which hosts (credentials are for the first), and how.

    `warned` is what to tell of a success that is not all that there was.
    """

    doing: str
    target: str
    hosts: tuple[Result[str, RegistryError], ...]
    put: Callable[[Client, OnEvent], Op[T]]
    answer: Callable[[T], Answer]
    warned: Callable[[T], tuple[str, ...]] = lambda _: ()


def carry_out(errand: Errand[T], remote: RemoteOptions, show: ShowOptions) -> int:
    """Do it, show how it goes, write the answer or what went wrong, and give the exit code."""

    async def carried(terminal: Terminal, session: Result[Session, RegistryError]) -> int:
        stored: list[str] = []
        with watched(terminal) as watch:

            def on_event(event: Event) -> None:
                if isinstance(event, ManifestStored):
                    stored.append(f"{event.reference}@{event.manifest.digest}")
                watch(event)

            question = Question(
                errand.doing, errand.target, errand.hosts[0], lambda client: errand.put(client, on_event)
            )
            done = await settled(session, question, terminal)
        match done:
            case Ok(value):
                for line in errand.warned(value):
                    terminal.note(f"warning: {line}")
                return terminal.write(errand.answer(value))
            case Err(error):
                if terminal.form == "text":  # what did succeed is a result, too
                    terminal.write(Answer(None, "\n".join(stored), ""))
                return terminal.fail(error)

    return run(show, lambda terminal: carried(terminal, prepare(remote, show, *errand.hosts)))
