"""Push all: every image of an archive or of a layout, under every tag that it was saved with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeAlias, final

from returns.future import FutureResult
from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from registry_fp.archive.docker_save import SavedImage, read_images
from registry_fp.archive.layout import OpenLayout, with_source
from registry_fp.archive.layout_names import LayoutName, listed_names
from registry_fp.archive.opened import OpenArchive
from registry_fp.archive.source import ImageSource
from registry_fp.domain.digest import Digest
from registry_fp.domain.errors import InvalidImage, Misconfigured, RegistryError, SeveralFailed
from registry_fp.domain.reference import Reference, Repository, parse_host, parse_reference, parse_repository
from registry_fp.effect.operation import Op
from registry_fp.effect.traverse import traverse, traverse_all
from registry_fp.pipelines.noticed import noticed
from registry_fp.pipelines.push import (
    Pushed,
    PushOptions,
    Uploaded,
    Validated,
    extract,
    push_as_it_is,
    put_manifest,
    upload_all,
)
from registry_fp.transport.notices import Notices
from registry_fp.transport.port import Client

__all__ = ["push_all"]

_Publish: TypeAlias = Callable[[tuple[Reference, ...]], Op[tuple[Pushed, ...]]]
"""How one image comes to one repository, under these tags."""


@final
@dataclass(frozen=True, slots=True)
class _Image:
    """One image, every name that it was saved with, and what stores it."""

    name: str
    digest: Digest
    names: tuple[LayoutName, ...]
    publish: _Publish = field(repr=False)


@final
@dataclass(frozen=True, slots=True)
class _Publication:
    """One image for one repository, and its tags there."""

    publish: _Publish = field(repr=False)
    targets: tuple[Reference, ...]


def push_all(
    client: Client, source: ImageSource, to: str, *, options: PushOptions = PushOptions()
) -> Op[tuple[Pushed, ...]]:
    """Push every image of an archive or a layout under all its original tags, to a host or below a repository of it.

    `to` is `HOST[:PORT][/PREFIX]`; `docker.io/library/nginx:1.27` goes to `HOST/PREFIX/library/nginx:1.27`, and what a
    layout calls `1.27` alone to `HOST/PREFIX:1.27`. Blobs go to every repository that needs them, from the second one
    on by mount. All are tried: where some fail, the failure is `SeveralFailed` and names each. Otherwise fails like
    `push`, and before any request with `InvalidImage` where an image has no tag, or two images would get the same name.
    """

    def published(below: Repository, images: Sequence[_Image]) -> Op[tuple[Pushed, ...]]:
        found = _publications(source, images, below)
        return FutureResult.from_result(found).bind(lambda every: _published(client, source, every))

    def below(place: Repository) -> Op[tuple[Pushed, ...]]:
        return with_source(
            source,
            saved=lambda archive: (
                read_images(archive)
                .map(lambda images: tuple(_saved(client, archive, image, options) for image in images))
                .bind(partial(published, place))
            ),
            layout=lambda layout: FutureResult.from_result(_listed(client, layout, options)).bind(
                partial(published, place)
            ),
        )

    return FutureResult.from_result(_destination(source, to)).bind(below)


def _saved(client: Client, archive: OpenArchive, image: SavedImage, options: PushOptions) -> _Image:
    """An image of a `docker save` archive: its layers are made into blobs once for each repository."""

    def tagged(sent: Uploaded, target: Reference) -> Op[Pushed]:
        return put_manifest(client, sent if target == sent.target else _another_tag(sent, target), options=options)

    def publish(targets: tuple[Reference, ...]) -> Op[tuple[Pushed, ...]]:
        done = (
            extract(Validated(archive, image))
            .bind(lambda extracted: upload_all(client, extracted, targets[0], options=options))
            .bind(lambda sent: traverse(targets, partial(tagged, sent), limit=1))
        )
        return noticed(client, (targets[0].repository.host,), done, _with_notices)

    return _Image(image.name, image.config_digest, image.references, publish)


def _listed(client: Client, layout: OpenLayout, options: PushOptions) -> Result[tuple[_Image, ...], RegistryError]:
    """What a layout lists, each manifest once; it goes to each of its names as it is."""

    def image(digest: Digest, name: str, names: tuple[LayoutName, ...]) -> _Image:
        chosen = replace(layout, source=replace(layout.source, image=str(digest)))

        def publish(targets: tuple[Reference, ...]) -> Op[tuple[Pushed, ...]]:
            done = traverse(targets, lambda target: push_as_it_is(client, chosen, target, options=options), limit=1)
            return noticed(client, (targets[0].repository.host,), done, _with_notices)

        return _Image(name, digest, names, publish)

    named = listed_names(layout.listed)
    return named.map(lambda found: tuple(image(digest, name, names) for digest, (name, names) in found.items())).alt(
        partial(RegistryError, "push_all", layout.source.path)
    )


def _published(client: Client, source: ImageSource, publications: tuple[_Publication, ...]) -> Op[tuple[Pushed, ...]]:
    # One after the other: each is concurrent in itself, and what it places the next one finds or mounts.
    return (
        traverse_all(publications, lambda each: each.publish(each.targets), limit=1)
        .map(lambda groups: tuple(pushed for group in groups for pushed in group))
        .alt(lambda errors: _several(source, errors, len(publications)))
    )


def _with_notices(pushed: tuple[Pushed, ...], said: Notices) -> tuple[Pushed, ...]:
    return tuple(replace(each, notices=said) for each in pushed)


def _another_tag(sent: Uploaded, target: Reference) -> Uploaded:
    """Under its second tag in a repository, nothing of an image is sent."""
    there = tuple(replace(blob, outcome="exists", sent=0) for blob in sent.blobs)
    return replace(sent, target=target, blobs=there)


def _several(source: ImageSource, errors: tuple[RegistryError, ...], total: int) -> RegistryError:
    return errors[0] if total == 1 else RegistryError("push_all", str(source), SeveralFailed(errors, total))


def _publications(
    source: ImageSource, images: Sequence[_Image], below: Repository
) -> Result[tuple[_Publication, ...], RegistryError]:
    """What goes where; two images that would have one name are refused, since the second would replace the first."""
    publications: list[_Publication] = []
    taken: dict[Reference, tuple[Digest, LayoutName]] = {}
    for image in images:
        if not image.names:
            return Failure(RegistryError("push_all", str(source), InvalidImage("no tags", image.name)))
        by_repository: dict[Repository, dict[Reference, None]] = {}
        for original in image.names:
            found = _moved(original, below)
            if not is_successful(found):
                return Failure(_as_push_all(found.failure()))
            target = found.unwrap()
            owner, name = taken.setdefault(target, (image.digest, original))
            if owner != image.digest:
                fault = InvalidImage("bad tag", str(original), f"it would replace {name} as {target}")
                return Failure(RegistryError("push_all", str(source), fault))
            by_repository.setdefault(target.repository, {})[target] = None
        publications.extend(_Publication(image.publish, tuple(targets)) for targets in by_repository.values())
    return Success(tuple(publications))


def _moved(original: LayoutName, below: Repository) -> Result[Reference, RegistryError]:
    """The original name in its new place: the old host is left out; a tag alone is one of that place itself."""
    if isinstance(original, str):
        if below.path:
            return parse_reference(f"{below}:{original}")
        why = "it is a tag without a repository: push to HOST/REPOSITORY"
        return Failure(RegistryError("push_all", below.host, InvalidImage("bad tag", original, why)))
    path = "/".join(part for part in (below.host, below.path, original.repository.path) if part)
    return parse_reference(f"{path}:{original.tag}")


def _destination(source: ImageSource, to: str) -> Result[Repository, RegistryError]:
    """A host alone is the repository with no path."""
    if source.image is not None:
        reason = Misconfigured("image", "push_all takes every image; push takes the one that is chosen")
        return Failure(RegistryError("push_all", str(source), reason))
    if "/" not in to:
        return parse_host(to).map(lambda host: Repository(host, "")).alt(_as_push_all)
    return parse_repository(to).alt(_as_push_all)


def _as_push_all(error: RegistryError) -> RegistryError:
    return replace(error, doing="push_all")
