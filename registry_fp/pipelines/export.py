"""Export: the file system of an image, as a container sees it, as one plain tar.

    the listings of all layers -> what survives -> the layers again, oldest first, and from each what survives

The layers pass by twice, and nothing of them is kept but the tar itself, which has its name when it is complete.
"""

from __future__ import annotations

import io
import os
from contextlib import ExitStack
from dataclasses import dataclass
from errno import EEXIST, EINVAL
from pathlib import Path
from typing import final

from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from registry_fp.archive.archive_staging import PartialFolder, leave_partial, open_partial, publish
from registry_fp.archive.export_plan import ExportPlan, plan_export
from registry_fp.archive.export_writer import ExportWriter
from registry_fp.archive.layer_listing import LayerListing
from registry_fp.archive.off_loop import off_loop
from registry_fp.archive.source import AnyArchive, DockerSave, OciLayout
from registry_fp.domain.errors import LocalIo, Misconfigured, Reason, RegistryError
from registry_fp.domain.platform import Platform
from registry_fp.effect.bracket import bracket
from registry_fp.effect.exits import Ok
from registry_fp.effect.operation import Op, operation
from registry_fp.pipelines.file_lookup import LayerReader
from registry_fp.pipelines.files import with_image
from registry_fp.pipelines.image_view import ImageNoun, ImageView
from registry_fp.pipelines.pull_target import can_be_a_path, promises_compression
from registry_fp.transport.port import Client

__all__ = ["Exported", "export_files"]


@final
@dataclass(frozen=True, slots=True)
class Exported:
    """A tar that is on disk: `entries` is how many members it has, `size` how many bytes; `name` is the image's."""

    path: str
    name: str
    entries: int
    size: int


def export_files(
    client: Client, noun: ImageNoun, path: str | os.PathLike[str], *, platform: str | Platform = "local"
) -> Op[Exported]:
    """Write the file system of an image, as a container sees it, as one plain tar (pax) to a path.

    Owners, permissions, times, devices, links and extended attributes are those of the layers, and the same image gives
    the same bytes. A hard link to what a newer layer hides or replaces keeps the content that it was made for. Every
    path is a real one: what lies beneath a symbolic link is where the link leads, and a folder without an entry has one
    of mode 0755. A folder that newer layers write into stands at the end. Layers are streamed twice and proven, and
    nothing is kept of them. A tar, or an empty file, that is at the path is replaced at once when the new one is
    complete and on the disk. Fails with `LocalIo` (EEXIST where another file is at the path) and `Misconfigured` before
    any request; with `InvalidImage` ("broken link", "link cycle"), with `Unsupported` for a sparse file, and for a
    layer that has a path several times where it matters which of them is meant (a hard link to it, a file beneath it);
    or as `list_files`. Source: image-spec, layer, "Applying Changesets".
    """
    target = os.fspath(path)

    return bracket(
        lambda: _folder(noun, target),
        lambda folder: with_image(client, noun, platform, "export_files", lambda view: _exported(view, folder, target)),
        lambda folder, done: leave_partial(folder, done=isinstance(done, Ok)),
    )


@operation
async def _folder(noun: ImageNoun, path: str) -> Result[PartialFolder, RegistryError]:
    if not can_be_a_path(path):
        refused: Reason = LocalIo(EINVAL, path)
    elif promises_compression(path):
        refused = Misconfigured("path", "an archive is written as a plain tar, so its name should say so")
    elif isinstance(noun, DockerSave | OciLayout | AnyArchive) and await _is_same(noun.path, path):
        refused = LocalIo(EEXIST, path)
    else:
        return (await open_partial(path)).alt(lambda reason: RegistryError("export_files", path, reason))
    return Failure(RegistryError("export_files", path, refused))


async def _is_same(source: str, path: str) -> bool:
    """Whether the tar would take the place of what it is made from."""
    if not can_be_a_path(source):
        return False
    same = await off_loop(path, lambda: Success(Path(source).samefile(path)))
    return same.value_or(False)


@operation
async def _exported(view: ImageView, folder: PartialFolder, path: str) -> Result[Exported, RegistryError]:
    def failed(reason: Reason) -> RegistryError:
        return RegistryError("export_files", view.name, reason)

    layers = LayerReader(view)
    listings: list[LayerListing] = []
    for position in range(len(view.layers)):
        listing = await layers.listing(position)
        if not is_successful(listing):
            return Failure(listing.failure())
        listings.append(listing.unwrap())
    plan = await off_loop(path, lambda: plan_export(listings))
    if not is_successful(plan):
        return Failure(failed(plan.failure()))
    with ExitStack() as held:
        # Opened into the stack: a cancellation waits for the thread, and then it is closed.
        opened = await off_loop(path, lambda: Success(held.enter_context(_opened(folder.archive))))
        if not is_successful(opened):
            return Failure(failed(opened.failure()))
        writer = ExportWriter(opened.unwrap(), path, plan.unwrap())
        written = await _written(layers, plan.unwrap(), writer, path)
    if not is_successful(written):
        fault = written.failure()
        return Failure(fault if isinstance(fault, RegistryError) else failed(fault))
    published = await publish(folder)
    return published.map(lambda _: Exported(path, view.name, writer.entries, written.unwrap())).alt(failed)


async def _written(
    layers: LayerReader, plan: ExportPlan, writer: ExportWriter, path: str
) -> Result[int, RegistryError | Reason]:
    """What survives of each layer, written; gives the size of the tar."""
    begun = await off_loop(path, writer.begin)
    if not is_successful(begun):
        return Failure(begun.failure())
    for position, names in enumerate(plan.layers):
        if names:
            writer.turn_to(position)
            read = await layers.read(position, None, writer)
            if not is_successful(read):
                return Failure(writer.fault or read.failure())
    size = await off_loop(path, writer.finish)
    return size.alt(lambda reason: reason)


def _opened(path: str) -> io.FileIO:
    return open(path, "wb", buffering=0, opener=_created)


def _created(path: str, _flags: int) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
