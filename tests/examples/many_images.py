"""Push every archive of a folder, two at a time, and say of each what became of it.

python many_images.py FOLDER HOST[:PORT][/PREFIX]
"""

# ruff: noqa: T201  a program prints

import asyncio
import sys
from pathlib import Path

from registry_fp import (
    Client,
    Err,
    Ok,
    Op,
    Pushed,
    connect,
    docker_save,
    exit_code,
    explain,
    push_all,
    settle,
    traverse_all,
)


def publish(client: Client, archive: Path, to: str) -> Op[tuple[Pushed, ...]]:
    """Every image of one archive, under every tag that it was saved with; told as soon as it is done."""
    return push_all(client, docker_save(archive), to).map(told)


def told(images: tuple[Pushed, ...]) -> tuple[Pushed, ...]:
    """The same images, after a line for each."""
    for pushed in images:
        print(f"{pushed.reference}@{pushed.digest}  {pushed.summary}")
    return images


async def main(archives: list[Path], to: str) -> int:
    """The exit code: 0, or what the first failure deserves."""
    async with connect() as client:
        match await settle(traverse_all(archives, lambda archive: publish(client, archive, to), limit=2)):
            case Ok():
                return 0
            case Err(errors):
                for error in errors:
                    print(explain(error), file=sys.stderr)
                return exit_code(errors[0])


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sorted(Path(sys.argv[1]).glob("*.tar")), sys.argv[2])))
