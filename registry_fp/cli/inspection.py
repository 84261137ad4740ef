"""Inspection: what an image is, for people."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from typing import Final, assert_never

from returns.result import Failure, Result
from rich.console import Group, RenderableType
from rich.table import Table

from registry_fp import (
    AnyArchive,
    Digest,
    Inspected,
    InspectedImage,
    InspectedIndex,
    Misconfigured,
    RegistryError,
    any_archive,
    inspect,
)
from registry_fp.cli.answer import Answer
from registry_fp.cli.inspect_document import image_document, index_document
from registry_fp.cli.noun import host_of
from registry_fp.cli.options import RemoteOptions, ShowOptions
from registry_fp.cli.printable import printable
from registry_fp.cli.session import Question, ask
from registry_fp.cli.size import human_size

__all__ = ["ask_inspect", "registry_of", "source_of"]

_ARCHIVES: Final = (".tar", ".tar.gz", ".tgz", ".tar.zst", ".tar.zstd", ".tzst", ".tar.xz", ".txz", ".tar.bz2", ".tbz2")


def ask_inspect(
    noun: str, image: str | None, remote: RemoteOptions, show: ShowOptions, platform: str | None = None
) -> int:
    """What is this image, in a registry or on disk?"""
    on_disk = source_of(noun, image)
    host = registry_of("inspect", noun, image)
    question = Question("inspect", noun, host, lambda client: inspect(client, on_disk or noun, platform=platform))
    return ask(question, _answer, remote, show)


def source_of(noun: str, image: str | None) -> AnyArchive | None:
    """What is there is meant, whatever it is, and so is what is called like an archive; all else is a reference.

    A folder or a pipe that is no image is then refused for what it is: its name is nobody else's business. An image of
    that name is asked for with its tag.
    """
    on_disk = noun.lower().endswith(_ARCHIVES) or os.path.lexists(noun)
    return any_archive(noun, image=image) if on_disk else None


def registry_of(doing: str, noun: str, image: str | None) -> Result[str, RegistryError] | None:
    """The registry's host of what is not on disk, and None for what is.

    Fails with `BadReference`, and with `Misconfigured` where an image is to be chosen from a reference, which is one.
    """
    if source_of(noun, image) is not None:
        return None
    if image is None:
        return host_of(noun)
    return Failure(
        RegistryError(doing, noun, Misconfigured("image", f"it chooses from an archive, and there is none at {noun}"))
    )


def _answer(found: Inspected) -> Answer:
    match found:
        case InspectedImage():
            image = image_document(found)
            essential = str(found.config_digest if found.digest is None else found.digest)
            return Answer(image, _image(found), essential, image.layers)
        case InspectedIndex():
            index = index_document(found)
            return Answer(index, _index(found), str(found.digest), index.manifests)
        case _:
            assert_never(found)


def _image(image: InspectedImage) -> RenderableType:
    many = "layer" if len(image.layers) == 1 else "layers"
    plain = "" if image.unpacked is None or image.unpacked == image.size else f", {human_size(image.unpacked)} unpacked"
    facts = {
        "name": image.name,
        "digest": _text(image.digest),
        "type": image.media_type,
        "artifact": image.artifact_type,
        "subject": None if image.subject is None else str(image.subject.digest),
        "config": str(image.config_digest),
        "platform": None if image.platform is None else str(image.platform),
        "created": image.created,
        **_run(image),
        "size": f"{human_size(image.size)} in {len(image.layers)} {many}{plain}",
    }
    layers = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    layers.add_column("LAYER", no_wrap=True)
    layers.add_column("SIZE", justify="right", no_wrap=True)
    layers.add_column("CREATED BY", no_wrap=True, overflow="ellipsis")
    for layer in image.layers:
        digest = layer.digest if layer.digest is not None else layer.diff_id
        layers.add_row(_short(digest), human_size(layer.size), printable(layer.created_by or ""))
    return Group(_facts(facts), "", layers) if image.layers else _facts(facts)


def _run(image: InspectedImage) -> dict[str, str | tuple[str, ...] | None]:
    """How a container of it starts, as far as it says so."""
    config = None if image.config is None else image.config.config
    if config is None:
        return {}
    return {
        "command": shlex.join((*(config.entrypoint or ()), *(config.cmd or ()))) or None,
        "user": config.user or None,
        "folder": config.working_dir or None,
        "env": image.env,
        "labels": tuple(f"{name}={text}" for name, text in image.labels.items()),
    }


def _index(index: InspectedIndex) -> RenderableType:
    facts = {"name": index.name, "digest": str(index.digest), "type": index.media_type}
    manifests = Table(box=None, pad_edge=False, show_header=False, padding=0)
    manifests.add_column(overflow="fold")
    for each in index.manifests:
        platform = "no platform" if each.platform is None else printable(str(each.platform))
        manifests.add_row(f"{platform}, {human_size(each.size)}")
        manifests.add_row(f"  {each.digest}")  # a line of its own, because 80 columns must hold all of it
    return Group(_facts(facts), "", manifests) if index.manifests else _facts(facts)


def _facts(facts: Mapping[str, str | tuple[str, ...] | None]) -> Table:
    grid = Table.grid(padding=(0, 1, 0, 0))  # 80 columns hold the longest name and a digest
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, fact in facts.items():
        if fact:
            lines = (fact,) if isinstance(fact, str) else fact
            grid.add_row(name, "\n".join(printable(line) for line in lines))
    return grid


def _short(digest: Digest | None) -> str:
    return "" if digest is None else f"{digest.algorithm}:{digest.short}"


def _text(digest: Digest | None) -> str | None:
    return None if digest is None else str(digest)
