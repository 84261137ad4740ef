"""A release: look into the archive, push it, and give the pushed manifest a second tag.

python own_pipeline.py ARCHIVE REFERENCE SECOND_REFERENCE
"""

# ruff: noqa: T201  a program prints

import asyncio
import sys
from dataclasses import replace

from returns.result import Failure, Result, Success

from registry_fp import (
    Client,
    Inspected,
    InspectedImage,
    Op,
    Pushed,
    RegistryError,
    Unsupported,
    connect,
    docker_save,
    exit_code,
    explain,
    fold,
    get_manifest,
    inspect,
    push,
    put_manifest,
)


def release(client: Client, archive: str, to: str, also: str) -> Op[Pushed]:
    """Three joints: a failure at any of them is the outcome, and what follows it does not run."""
    source = docker_save(archive)
    return (
        inspect(client, source)
        .bind_result(not_as_root)
        .bind(lambda _: push(client, source, to))
        .bind(lambda pushed: retag(client, pushed, also))
    )


def not_as_root(found: Inspected) -> Result[Inspected, RegistryError]:
    """A pure step, with a rule of our own: it returns a `Result`, and `bind_result` joins it."""
    image = found.config if isinstance(found, InspectedImage) else None
    runs = image.config if image is not None else None
    if runs is None or runs.user in {None, "", "0", "root"}:
        return Failure(RegistryError("release", found.name, Unsupported("an image that runs as root")))
    return Success(found)


def retag(client: Client, pushed: Pushed, also: str) -> Op[Pushed]:
    """The same bytes under another name of the repository; they are fetched by digest, so nobody can exchange them."""
    stored = replace(pushed.reference, tag=None, digest=pushed.digest)
    return get_manifest(client, stored).bind(lambda raw: put_manifest(client, also, raw)).map(lambda _: pushed)


async def main(archive: str, to: str, also: str) -> int:
    """The exit code."""

    def done(pushed: Pushed) -> int:
        print(f"{to} and {also} are {pushed.digest}")
        return 0

    def failed(error: RegistryError) -> int:
        print(explain(error), file=sys.stderr)
        return exit_code(error)

    async with connect() as client:
        return await fold(release(client, archive, to, also), done, failed)


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3])))
