"""Reading: one question to a registry, one answer."""

from __future__ import annotations

from registry_fp import (
    Descriptor,
    head_manifest,
    list_repositories,
    list_tags,
    parse_host,
    parse_repository,
    ping,
)
from registry_fp.cli.answer import Answer
from registry_fp.cli.document import (
    PingDocument,
    RepositoriesDocument,
    RepositoryDocument,
    TagDocument,
    TagsDocument,
    descriptor_document,
)
from registry_fp.cli.noun import host_of
from registry_fp.cli.options import RemoteOptions, ShowOptions
from registry_fp.cli.session import Question, ask

__all__ = ["ask_digest", "ask_ping", "ask_repositories", "ask_tags"]


def ask_ping(host: str, remote: RemoteOptions, show: ShowOptions) -> int:
    """Does a registry answer there, and let us in?"""
    question = Question("ping", host, parse_host(host), lambda client: ping(client, host))
    return ask(question, lambda _: Answer(PingDocument(host, ok=True), f"{host} answers", ""), remote, show)


def ask_repositories(host: str, remote: RemoteOptions, show: ShowOptions) -> int:
    """Which repositories does a registry have?"""

    def answer(names: tuple[str, ...]) -> Answer:
        lines = "\n".join(names)
        items = tuple(RepositoryDocument(host, name) for name in names)
        return Answer(RepositoriesDocument(host, names), lines, lines, items)

    question = Question("list_repositories", host, parse_host(host), lambda client: list_repositories(client, host))
    return ask(question, answer, remote, show)


def ask_tags(repository: str, remote: RemoteOptions, show: ShowOptions) -> int:
    """Which tags does a repository have?"""
    host = parse_repository(repository).map(lambda name: name.host)

    def answer(tags: tuple[str, ...]) -> Answer:
        lines = "\n".join(tags)
        items = tuple(TagDocument(repository, tag) for tag in tags)
        return Answer(TagsDocument(repository, tags), lines, lines, items)

    return ask(
        Question("list_tags", repository, host, lambda client: list_tags(client, repository)), answer, remote, show
    )


def ask_digest(reference: str, remote: RemoteOptions, show: ShowOptions) -> int:
    """What does a name stand for, right now?"""

    def answer(found: Descriptor) -> Answer:
        return Answer(descriptor_document(reference, found), str(found.digest), str(found.digest))

    question = Question("head_manifest", reference, host_of(reference), lambda client: head_manifest(client, reference))
    return ask(question, answer, remote, show)
