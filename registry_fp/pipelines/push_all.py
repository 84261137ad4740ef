"""Push all: every image of an archive, under every tag that it was saved with."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import final

from returns.future import FutureResult
from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from registry_fp.archive.docker_save import SavedImage, read_images
from registry_fp.archive.opened import OpenArchive, with_archive
from registry_fp.archive.source import DockerSave
from registry_fp.domain.digest import Digest
from registry_fp.domain.errors import InvalidImage, Misconfigured, RegistryError, SeveralFailed
from registry_fp.domain.reference import Reference, Repository, parse_host, parse_reference, parse_repository
from registry_fp.effect.operation import Op
from registry_fp.effect.traverse import traverse, traverse_all
from registry_fp.pipelines.noticed import noticed
from registry_fp.pipelines.push import Pushed, PushOptions, Uploaded, Validated, extract, put_manifest, upload_all
from registry_fp.transport.notices import Notices
from registry_fp.transport.port import Client

__all__ = ["push_all"]


@final
@dataclass(frozen=True, slots=True)
class _Publication:
    """One image for one repository, and its tags there."""

    image: Validated
    targets: tuple[Reference, ...]


def push_all(
    client: Client, source: DockerSave, to: str, *, options: PushOptions = PushOptions()
) -> Op[tuple[Pushed, ...]]:
    """Push every image of an archive under all its original tags, to a host or below a repository of it.

    `to` is `HOST[:PORT][/PREFIX]`; `docker.io/library/nginx:1.27` goes to `HOST/PREFIX/library/nginx:1.27`. Blobs go to
    every repository that needs them, from the second one on by mount. All are tried: where some fail, the failure is
    `SeveralFailed` and names each. Otherwise fails like `push`, and before any request with `InvalidImage` where an
    image has no tag, or two images would get the same name.
    """
    return FutureResult.from_result(_destination(source, to)).bind(
        lambda below: with_archive(
            source,
            lambda archive: (
                read_images(archive)
                .bind_result(lambda images: _publications(archive, images, below))
                .bind(lambda publications: _published(client, source, publications, options))
            ),
        )
    )


def _published(
    client: Client, source: DockerSave, publications: tuple[_Publication, ...], options: PushOptions
) -> Op[tuple[Pushed, ...]]:
    def publish(publication: _Publication) -> Op[tuple[Pushed, ...]]:
        first = publication.targets[0]
        done = (
            extract(publication.image)
            .bind(lambda image: upload_all(client, image, first, options=options))
            .bind(lambda sent: traverse(publication.targets, lambda target: tagged(sent, target), limit=1))
        )
        return noticed(client, (first.repository.host,), done, _with_notices)

    def tagged(sent: Uploaded, target: Reference) -> Op[Pushed]:
        return put_manifest(client, sent if target == sent.target else _another_tag(sent, target), options=options)

    # One after the other: each is concurrent in itself, and what it places the next one finds or mounts.
    return (
        traverse_all(publications, publish, limit=1)
        .map(lambda groups: tuple(pushed for group in groups for pushed in group))
        .alt(lambda errors: _several(source, errors, len(publications)))
    )


def _with_notices(pushed: tuple[Pushed, ...], said: Notices) -> tuple[Pushed, ...]:
    return tuple(replace(each, notices=said) for each in pushed)


def _another_tag(sent: Uploaded, target: Reference) -> Uploaded:
    """Under its second tag in a repository, nothing of an image is sent."""
    there = tuple(replace(blob, outcome="exists", sent=0) for blob in sent.blobs)
    return replace(sent, target=target, blobs=there)


def _several(source: DockerSave, errors: tuple[RegistryError, ...], total: int) -> RegistryError:
    return errors[0] if total == 1 else RegistryError("push_all", str(source), SeveralFailed(errors, total))


def _publications(
    archive: OpenArchive, images: tuple[SavedImage, ...], below: Repository
) -> Result[tuple[_Publication, ...], RegistryError]:
    """What goes where; two images that would have one name are refused, since the second would replace the first."""
    publications: list[_Publication] = []
    taken: dict[Reference, tuple[Digest, Reference]] = {}
    for image in images:
        if not image.references:
            return Failure(RegistryError("push_all", str(archive.source), InvalidImage("no tags", image.name)))
        by_repository: dict[Repository, dict[Reference, None]] = {}
        for original in image.references:
            found = _moved(original, below)
            if not is_successful(found):
                return Failure(found.failure())
            target = found.unwrap()
            owner, name = taken.setdefault(target, (image.config_digest, original))
            if owner != image.config_digest:
                fault = InvalidImage("bad tag", str(original), f"it would replace {name} as {target}")
                return Failure(RegistryError("push_all", str(archive.source), fault))
            by_repository.setdefault(target.repository, {})[target] = None
        sound = Validated(archive, image)
        publications.extend(_Publication(sound, tuple(targets)) for targets in by_repository.values())
    return Success(tuple(publications))


def _moved(original: Reference, below: Repository) -> Result[Reference, RegistryError]:
    """The original name in its new place: the old host is left out."""
    path = "/".join(part for part in (below.host, below.path, original.repository.path) if part)
    return parse_reference(f"{path}:{original.tag}").alt(_as_push_all)


def _destination(source: DockerSave, to: str) -> Result[Repository, RegistryError]:
    """A host alone is the repository with no path."""
    if source.image is not None:
        reason = Misconfigured("image", "push_all takes every image; push takes the one that is chosen")
        return Failure(RegistryError("push_all", str(source), reason))
    if "/" not in to:
        return parse_host(to).map(lambda host: Repository(host, "")).alt(_as_push_all)
    return parse_repository(to).alt(_as_push_all)


def _as_push_all(error: RegistryError) -> RegistryError:
    return replace(error, doing="push_all")
