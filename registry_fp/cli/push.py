"""Pushing: one image of an archive under a name, or every one under its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TypeVar, final

from returns.result import Result

from registry_fp import (
    Client,
    Err,
    Event,
    ManifestStored,
    Ok,
    OnEvent,
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
from registry_fp.cli.session import Question, prepare, settled
from registry_fp.cli.terminal import Terminal

__all__ = ["PushChoices", "push_archive", "push_every_tag"]

T = TypeVar("T")


@final
@dataclass(frozen=True, slots=True)
class PushChoices:
    """What the command line chose for a push; None leaves it to the settings."""

    compression: Codec | None = None
    level: int | None = None
    concurrency: int | None = None

    def watched_by(self, on_event: OnEvent) -> PushOptions:
        """The library's options, with a watcher."""
        return PushOptions(self.compression, self.level, self.concurrency, on_event)


def push_archive(
    archive: str, reference: str, image: str | None, choices: PushChoices, remote: RemoteOptions, show: ShowOptions
) -> int:
    """Push one image of an archive."""

    def put(client: Client, options: PushOptions) -> Op[Pushed]:
        return push(client, docker_save(archive, image=image), reference, options=options)

    def answer(pushed: Pushed) -> Answer:
        document = pushed_document(pushed)
        return Answer(document, _line(pushed), str(pushed.digest), (_last(document),))

    return _push("push", reference, host_of(reference), put, answer, choices, remote, show)


def push_every_tag(archive: str, to: str, choices: PushChoices, remote: RemoteOptions, show: ShowOptions) -> int:
    """Push every image of an archive under all its tags, to a host or below a repository of it."""

    def put(client: Client, options: PushOptions) -> Op[tuple[Pushed, ...]]:
        return push_all(client, docker_save(archive), to, options=options)

    def answer(pushed: tuple[Pushed, ...]) -> Answer:
        documents = tuple(pushed_document(each) for each in pushed)
        lines = "\n".join(_line(each) for each in pushed)
        digests = "\n".join(str(each.digest) for each in pushed)
        return Answer(PushedAllDocument(documents), lines, digests, tuple(_last(each) for each in documents))

    return _push("push_all", to, parse_host(to.partition("/")[0]), put, answer, choices, remote, show)


def _push(  # noqa: PLR0913  what the two kinds of push do not share
    doing: str,
    target: str,
    host: Result[str, RegistryError],
    put: Callable[[Client, PushOptions], Op[T]],
    answer: Callable[[T], Answer],
    choices: PushChoices,
    remote: RemoteOptions,
    show: ShowOptions,
) -> int:
    session = prepare(remote, host)

    async def work(terminal: Terminal) -> int:
        stored: list[str] = []
        with watched(terminal) as watch:

            def on_event(event: Event) -> None:
                if isinstance(event, ManifestStored):
                    stored.append(f"{event.reference}@{event.manifest.digest}")
                watch(event)

            options = choices.watched_by(on_event)
            done = await settled(session, Question(doing, target, host, lambda client: put(client, options)))
        match done:
            case Ok(value):
                return terminal.write(answer(value))
            case Err(error):
                if terminal.form == "text":  # what did succeed is a result, too
                    terminal.write(Answer(None, "\n".join(stored), ""))
                return terminal.fail(error)

    return run(show, work)


def _line(pushed: Pushed) -> str:
    return f"{pushed.reference}@{pushed.digest}"


def _last(document: PushedDocument) -> dict[str, object]:
    return {"event": "pushed", **asdict(document)}
