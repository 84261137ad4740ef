"""Pushing: one image of an archive under a name, or every one under its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Generic, TypeVar, final

from returns.result import Result

from registry_fp import (
    Client,
    Err,
    Event,
    ManifestStored,
    Ok,
    Op,
    Pushed,
    PushOptions,
    RegistryError,
    docker_save,
    parse_host,
    push,
    push_all,
)
from registry_fp.cli.answer import Answer
from registry_fp.cli.options import Codec, RemoteOptions, ShowOptions
from registry_fp.cli.progress import watched
from registry_fp.cli.push_document import PushedAllDocument, PushedDocument, pushed_document
from registry_fp.cli.read import host_of
from registry_fp.cli.run import run
from registry_fp.cli.session import Question, Session, prepare, settled
from registry_fp.cli.terminal import Terminal

__all__ = ["PushChoices", "push_archive", "push_every_tag"]

T = TypeVar("T")


@final
@dataclass(frozen=True, slots=True)
class PushChoices:
    """What the command line chose for a push; None leaves it to the settings."""

    archive: str
    image: str | None = None
    compression: Codec | None = None
    level: int | None = None
    concurrency: int | None = None


@final
@dataclass(frozen=True)  # no slots: frozen, slots and Generic together break before 3.13 (python/cpython#116669)
class _Errand(Generic[T]):
    """What the two kinds of push do not share."""

    doing: str
    target: str
    host: Result[str, RegistryError]
    put: Callable[[Client, PushOptions], Op[T]]
    answer: Callable[[T], Answer]


def push_archive(choices: PushChoices, reference: str, remote: RemoteOptions, show: ShowOptions) -> int:
    """Push one image of an archive."""
    source = docker_save(choices.archive, image=choices.image)

    def put(client: Client, options: PushOptions) -> Op[Pushed]:
        return push(client, source, reference, options=options)

    def answer(pushed: Pushed) -> Answer:
        document = pushed_document(pushed)
        return Answer(document, _line(pushed), str(pushed.digest), (_last(document),))

    return _push(_Errand("push", reference, host_of(reference), put, answer), choices, remote, show)


def push_every_tag(choices: PushChoices, to: str, remote: RemoteOptions, show: ShowOptions) -> int:
    """Push every image of an archive under all its tags, to a host or below a repository of it."""

    def put(client: Client, options: PushOptions) -> Op[tuple[Pushed, ...]]:
        return push_all(client, docker_save(choices.archive), to, options=options)

    def answer(pushed: tuple[Pushed, ...]) -> Answer:
        documents = tuple(pushed_document(each) for each in pushed)
        lines = "\n".join(_line(each) for each in pushed)
        digests = "\n".join(str(each.digest) for each in pushed)
        return Answer(PushedAllDocument(documents), lines, digests, tuple(_last(each) for each in documents))

    host = parse_host(to.partition("/")[0])
    return _push(_Errand("push_all", to, host, put, answer), choices, remote, show)


def _push(errand: _Errand[T], choices: PushChoices, remote: RemoteOptions, show: ShowOptions) -> int:
    async def pushed(terminal: Terminal, session: Result[Session, RegistryError]) -> int:
        stored: list[str] = []
        with watched(terminal) as watch:

            def on_event(event: Event) -> None:
                if isinstance(event, ManifestStored):
                    stored.append(f"{event.reference}@{event.manifest.digest}")
                watch(event)

            options = PushOptions(choices.compression, choices.level, choices.concurrency, on_event)
            question = Question(errand.doing, errand.target, errand.host, lambda client: errand.put(client, options))
            done = await settled(session, question)
        match done:
            case Ok(value):
                return terminal.write(errand.answer(value))
            case Err(error):
                if terminal.form == "text":  # what did succeed is a result, too
                    terminal.write(Answer(None, "\n".join(stored), ""))
                return terminal.fail(error)

    return run(show, lambda terminal: pushed(terminal, prepare(remote, errand.host)))


def _line(pushed: Pushed) -> str:
    return f"{pushed.reference}@{pushed.digest}"


def _last(document: PushedDocument) -> dict[str, object]:
    return {"event": "pushed", **asdict(document)}
