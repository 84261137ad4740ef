"""The demonstration: a registry of its own, an archive, and the story of both; offline, in seconds."""

from __future__ import annotations

import asyncio
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from returns.pipeline import is_successful
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from registry_fp import Err, LocalIo, Ok, RegistryError, connect, docker_save, read_settings, settle
from registry_fp.cli.answer import Answer
from registry_fp.cli.demo_document import DemoDocument
from registry_fp.cli.options import ShowOptions
from registry_fp.cli.run import run
from registry_fp.cli.session import in_time
from registry_fp.cli.size import human_size
from registry_fp.cli.story import tell_story
from registry_fp.cli.terminal import Terminal
from registry_fp.testing import running_registry, write_docker_save

__all__ = ["demonstrate"]

_REPOSITORY: Final = "demo/app:1.0"


def demonstrate(archive: str | None, image: str | None, timeout: float | None, show: ShowOptions) -> int:
    """Show on an archive, or on one made for it, what the library does."""

    async def work(terminal: Terminal) -> int:
        try:
            with TemporaryDirectory(prefix="registry-fp-demo-") as folder:
                return await _demonstrate(Path(folder), archive, image, timeout, terminal)
        except OSError as refused:
            path = str(refused.filename or "temporary files")
            return terminal.fail(RegistryError("demo", "a temporary folder", LocalIo(refused.errno or 0, path)))

    return run(show, work)


async def _demonstrate(
    folder: Path, archive: str | None, image: str | None, seconds: float | None, terminal: Terminal
) -> int:
    settings = read_settings(cache_dir=folder / "cache")  # of its own, so that the first push is a first one
    if not is_successful(settings):
        return terminal.fail(settings.failure())
    if archive is None:
        made = folder / "app.tar"
        await asyncio.to_thread(write_docker_save, made)
        source = docker_save(made)
        terminal.step(f"archive: {human_size(made.stat().st_size)}, made here as `docker save` writes them")
    else:
        source = docker_save(archive, image=image)
        terminal.step(f"archive: {archive}")
    # An archive from outside may be larger than memory.
    with running_registry(None if archive is None else folder / "registry") as registry:
        terminal.step(f"registry: embedded, at {registry.host}")
        target = f"{registry.host}/{_REPOSITORY}"
        async with connect(settings.unwrap()) as client:
            story = tell_story(client, registry, source, target, terminal)
            done = await settle(in_time(story, seconds, "demo", str(source)))
    match done:
        case Ok(told):
            terminal.step("")
            return terminal.write(Answer(told, _shown(told), told.digest))
        case Err(error):
            return terminal.fail(error)


def _shown(told: DemoDocument) -> RenderableType:
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for heading in ("BLOB", "DIGEST", "ARCHIVE", "REGISTRY", "PUSH", "AGAIN", "READ BACK"):
        table.add_column(heading, justify="right" if heading in ("ARCHIVE", "REGISTRY") else "left", no_wrap=True)
    for number, blob in enumerate(told.blobs):
        sizes = (human_size(blob.archived), human_size(blob.size))
        name = f"layer {number}" if blob.diff_id is not None else "config"
        table.add_row(name, blob.digest[:19], *sizes, blob.first, blob.again, "proven")
    line = (
        f"shown: {human_size(told.received)} sent once, {human_size(told.received_again)} sent again; "
        f"{told.proven_digests} digests and {told.proven_diff_ids} diff_ids proven"
    )
    pinned = Text(
        f"{told.reference}@{told.digest}", no_wrap=True, overflow="ignore"
    )  # the terminal folds it, and copies it whole
    return Group(table, "", pinned, Text(line, style="bold green"))
