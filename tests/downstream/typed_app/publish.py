"""Push an archive under one tag, give the image further tags, and tell what the registry then shows.

The pipeline is this application's own: the stations of `push`, joined with reads and writes of the same registry.
"""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import dataclass

from returns.future import FutureResult
from returns.result import Failure, Result, Success

from registry_fp import (
    Client,
    DockerSave,
    Err,
    InspectedImage,
    InspectedIndex,
    Misconfigured,
    Ok,
    Op,
    Pushed,
    Reference,
    RegistryError,
    connect,
    docker_save,
    exit_code,
    explain,
    get_manifest,
    inspect,
    list_tags,
    parse_reference,
    put_manifest,
    settle,
    traverse,
)
from registry_fp.archive.opened import with_archive
from registry_fp.pipelines.push import Uploaded, extract, upload_all, validate
from registry_fp.pipelines.push import put_manifest as store


@dataclass(frozen=True)
class Published:
    """What a run of this application leaves behind."""

    pushed: Pushed
    tags: tuple[str, ...]
    platform: str


def send(client: Client, source: DockerSave, to: Reference) -> Op[Uploaded]:
    """The first three stations: everything is in the repository, and nothing points to it yet."""
    return with_archive(
        source,
        lambda archive: validate(archive).bind(extract).bind(lambda image: upload_all(client, image, to)),
    )


def tag(client: Client, pushed: Pushed, tags: tuple[str, ...]) -> Op[Pushed]:
    """The same bytes under further names, three at a time."""
    return get_manifest(client, pushed.reference).bind(
        lambda manifest: traverse(
            tags,
            lambda name: put_manifest(client, f"{pushed.reference.repository}:{name}", manifest),
            limit=3,
        ).map(lambda _: pushed)
    )


def platform(client: Client, name: Reference) -> Op[str]:
    """What the image runs on, as the registry shows it; a failure where that is many things."""
    return inspect(client, name).bind_result(one_platform)


def one_platform(found: InspectedImage | InspectedIndex) -> Result[str, RegistryError]:
    """A pure step of this application's own."""
    match found:
        case InspectedImage(config=config) if config is not None:
            return Success(str(config.platform))
        case InspectedImage(name=name) | InspectedIndex(name=name):
            return Failure(RegistryError("publish", name, Misconfigured("platform", "the image has not exactly one")))


def publish(client: Client, source: DockerSave, to: Reference, tags: tuple[str, ...]) -> Op[Published]:
    """The whole railway: every joint is checked, and a failure anywhere leaves by the same track."""
    return (
        send(client, source, to)
        .bind(lambda sent: store(client, sent))
        .bind(lambda pushed: tag(client, pushed, tags))
        .bind(
            lambda pushed: list_tags(client, to.repository).bind(
                lambda shown: platform(client, to).map(lambda runs_on: Published(pushed, shown, runs_on))
            )
        )
    )


async def main(archive: str, repository: str, first: str, *others: str) -> int:
    """One run; the exit code is the library's word on the error."""
    name: Op[Reference] = FutureResult.from_result(parse_reference(f"{repository}:{first}"))
    async with connect() as client:
        out = await settle(name.bind(lambda to: publish(client, docker_save(archive), to, others)))
    match out:
        case Ok(published):
            shown = {"digest": str(published.pushed.digest), "tags": published.tags, "platform": published.platform}
            print(json.dumps(shown))  # noqa: T201  an application prints
            return 0
        case Err(error):
            print(explain(error), file=sys.stderr)  # noqa: T201  an application prints
            return exit_code(error)


if __name__ == "__main__":
    sys.exit(asyncio.run(main(*sys.argv[1:])))
