"""What `docker save` means by the members of its tar: images, their configurations and their layers.

Everything that can be known without reading whole layers is checked here, before any registry is asked: that every
member is there, that names which are digests do not contradict each other, that there is a diff_id for each layer.
What the bytes of a layer really are is proven by whoever reads them.

The shapes that are read: Docker up to 24 (`<id>/layer.tar`, repeated layers as links), Docker 25 and later and
containerd (blobs of an OCI layout, layers plain or compressed), podman, skopeo and go-containerregistry
(`<hex>.tar`, `<hex>.tar.gz`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, final

from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from registry_fp.archive.content import find_file, read_document
from registry_fp.archive.index_json import check_index
from registry_fp.archive.layout_index import INDEX_JSON
from registry_fp.archive.manifest_json import (
    MANIFEST_JSON,
    MANIFEST_JSON_LIMIT,
    REPOSITORIES,
    SavedEntry,
    blob_digest,
    config_digest,
    name_of,
    parse_manifest_json,
    parse_repositories,
    parse_tags,
    pick_entry,
    with_repositories,
)
from registry_fp.archive.off_loop import off_loop
from registry_fp.archive.opened import OpenArchive, read_window
from registry_fp.archive.tar_header import BLOCK, END_BLOCK, brief, parse_header
from registry_fp.archive.tar_index import Member
from registry_fp.codec.sniff import sniff
from registry_fp.domain.digest import Digest, digest_of
from registry_fp.domain.errors import InvalidImage, LimitExceeded, Reason, RegistryError, Unsupported
from registry_fp.domain.image_config import CONFIG_LIMIT, ImageConfig, parse_image_config
from registry_fp.domain.media_type import Compression, Family
from registry_fp.domain.reference import Reference
from registry_fp.effect.operation import operation

__all__ = ["LAYER_LIMIT", "SavedImage", "SavedLayer", "read_image", "read_images"]

LAYER_LIMIT: Final = 1_000
"""How many layers one image may have; file systems stop at a few hundred."""

_CONFIGS_LIMIT: Final = 32 * 1024 * 1024  # of all images that are read at once, in bytes


@final
@dataclass(frozen=True, slots=True)
class SavedLayer:
    """One layer: where its bytes are in the open archive, and what they claim to be.

    `offset` and `length` are bytes of the archive's descriptor; `diff_id` names the uncompressed tar; `digest` is what
    the archive calls the bytes as they lie there (only a member `blobs/<algorithm>/<hex>` says it): both are claims,
    to be proven by whoever reads the bytes.
    """

    name: str
    offset: int
    length: int
    compression: Compression
    diff_id: Digest
    digest: Digest | None = None


@final
@dataclass(frozen=True, slots=True)
class SavedImage:
    """One image of an archive: its exact configuration bytes, its layers oldest first, and its original tags.

    `family` is "oci" where the archive is also an OCI layout (Docker 25 and later), else "docker".
    """

    name: str
    references: tuple[Reference, ...]
    config: ImageConfig
    config_raw: bytes
    config_digest: Digest
    layers: tuple[SavedLayer, ...]
    family: Family


@operation
async def read_images(archive: OpenArchive) -> Result[tuple[SavedImage, ...], RegistryError]:
    """Every image of the archive, in its order, whatever its source chooses.

    Fails with `InvalidImage`, `LimitExceeded`, `Unsupported` (a layer compressed with xz or bzip2), `SourceChanged`
    and `LocalIo`. Source: moby, image/tarexport; image-spec, image-layout.
    """
    images = await _read(archive, lambda entries: Success(tuple(range(len(entries)))))
    return images.alt(partial(RegistryError, "read_images", archive.source.path))


@operation
async def read_image(archive: OpenArchive) -> Result[SavedImage, RegistryError]:
    """The one image that the archive's source chooses; the others are not looked at.

    Fails as `read_images`, and with `InvalidImage` "several images" or "no such image", which lists what there is.
    """
    choice = archive.source.image
    images = await _read(archive, lambda entries: pick_entry(entries, choice).map(lambda position: (position,)))
    return images.map(lambda found: found[0]).alt(partial(RegistryError, "read_image", archive.source.path))


async def _read(
    archive: OpenArchive, choose: Callable[[Sequence[SavedEntry]], Result[tuple[int, ...], Reason]]
) -> Result[tuple[SavedImage, ...], Reason]:
    entries = await _entries(archive)
    chosen = entries.bind(choose)
    if not is_successful(chosen):
        return Failure(chosen.failure())
    saved = [config_digest(entry.config) for entry in entries.unwrap()]
    images: list[SavedImage] = []
    room = _CONFIGS_LIMIT
    for position in chosen.unwrap():
        read = await _image(archive, entries.unwrap()[position], room)
        if not is_successful(read):
            return Failure(read.failure())
        image = read.unwrap()
        room -= len(image.config_raw)
        saved[position] = image.config_digest
        images.append(image)
    agreed = await check_index(archive, saved)
    return agreed.map(lambda _: tuple(images))


async def _entries(archive: OpenArchive) -> Result[tuple[SavedEntry, ...], Reason]:
    """The images that `manifest.json` lists, with the tags of the `repositories` file where it gives none."""
    if MANIFEST_JSON not in archive.index:
        detail = "it is an OCI layout without one" if INDEX_JSON in archive.index else ""
        return Failure(InvalidImage("no manifest.json", MANIFEST_JSON, detail))
    read = await read_document(
        archive, MANIFEST_JSON, parse_manifest_json, missing="no manifest.json", limit=MANIFEST_JSON_LIMIT
    )
    if not is_successful(read):
        return Failure(read.failure())
    entries = read.unwrap()
    if REPOSITORIES not in archive.index or all(entry.repo_tags for entry in entries):
        return Success(entries)
    tags = await read_document(archive, REPOSITORIES, parse_repositories, missing="no tags", limit=MANIFEST_JSON_LIMIT)
    return tags.map(lambda known: tuple(with_repositories(entry, known) for entry in entries))


async def _image(archive: OpenArchive, entry: SavedEntry, room: int) -> Result[SavedImage, Reason]:
    """One image, if its configuration has at most `room` bytes, which is looked at before it is read."""
    references = parse_tags(entry.repo_tags or ())
    if not is_successful(references):
        return Failure(references.failure())
    found = await find_file(archive, entry.config, "missing config")
    if not is_successful(found):
        return Failure(found.failure())
    member = found.unwrap().name
    if found.unwrap().size > room:
        return Failure(LimitExceeded("bytes of image configurations", _CONFIGS_LIMIT))
    read = await read_document(
        archive, member, partial(_config, entry.config, member), missing="missing config", limit=CONFIG_LIMIT
    )
    if not is_successful(read):
        return Failure(read.failure())
    raw, config = read.unwrap()
    layers = await _layers(archive, brief(member), entry.layers or (), config.rootfs.diff_ids)
    return layers.map(
        lambda found: SavedImage(
            name=name_of(entry),
            references=references.unwrap(),
            config=config,
            config_raw=raw,
            config_digest=digest_of(raw),
            layers=found,
            family="oci" if INDEX_JSON in archive.index or "oci-layout" in archive.index else "docker",
        )
    )


def _config(listed: str, member: str, raw: bytes) -> Result[tuple[bytes, ImageConfig], Reason]:
    """The configuration, if its bytes are what its names (in manifest.json, and of the member) say they are."""
    for name in (listed, member):
        claim = config_digest(name)
        actual = digest_of(raw, "sha256" if claim is None else claim.algorithm)
        if claim is not None and actual != claim:
            return Failure(InvalidImage("digest mismatch", brief(name), f"its bytes are {actual}"))
    config = parse_image_config(raw)
    if is_successful(config):
        return Success((raw, config.unwrap()))
    fault = config.failure()
    return Failure(fault if isinstance(fault, LimitExceeded) else InvalidImage("bad config", brief(member), fault.why))


async def _layers(
    archive: OpenArchive, config: str, names: Sequence[str], diff_ids: Sequence[Digest]
) -> Result[tuple[SavedLayer, ...], Reason]:
    if len(names) != len(diff_ids):
        detail = f"{len(names)} layers, and {len(diff_ids)} diff_ids in the configuration"
        return Failure(InvalidImage("layer count", config, detail))
    if len(names) > LAYER_LIMIT:
        return Failure(LimitExceeded("layers in one image", LAYER_LIMIT))
    members: dict[str, Member] = {}
    for name in dict.fromkeys(names):
        member = await find_file(archive, name, "missing layer")
        if not is_successful(member):
            return Failure(member.failure())
        members[name] = member.unwrap()
    found = [(name, members[name], diff_id) for name, diff_id in zip(names, diff_ids, strict=True)]
    claims: dict[int, Digest] = {}
    for _, one, diff_id in found:
        # Refused here, where it costs nothing: whatever its bytes are, one of the two claims is wrong.
        if one.size and claims.setdefault(one.offset, diff_id) != diff_id:
            return Failure(InvalidImage("diff_id mismatch", brief(one.name), "one member stands for two diff_ids"))
    return await off_loop(archive.source.path, lambda: _look_at(archive, found))


def _look_at(
    archive: OpenArchive, found: Sequence[tuple[str, Member, Digest]]
) -> Result[tuple[SavedLayer, ...], Reason]:
    """The layers' first bytes, which say how each is compressed."""
    layers: list[SavedLayer] = []
    for name, member, diff_id in found:
        head = read_window(archive, member.offset, min(BLOCK, member.size))
        layer = head.bind(partial(_layer, name, member, diff_id))
        if not is_successful(layer):
            return Failure(layer.failure())
        layers.append(layer.unwrap())
    return Success(tuple(layers))


def _layer(listed: str, member: Member, diff_id: Digest, head: bytes) -> Result[SavedLayer, Reason]:
    """A layer from the bytes it begins with; its name must not contradict its diff_id."""
    name = brief(member.name)
    match sniff(head):
        case ("xz" | "bzip2") as encoding:
            return Failure(Unsupported(f"a layer compressed with {encoding} ({name})"))
        case "none" if not _begins_a_tar(head, diff_id):
            return Failure(InvalidImage("bad layer", name, "it is neither a tar nor compressed with gzip or zstd"))
        case compression:
            claims = {claim for claim in (blob_digest(listed), blob_digest(member.name)) if claim is not None}
    if len(claims) > 1:
        return Failure(InvalidImage("digest mismatch", name, "its two names are two digests"))
    claim = next(iter(claims), None)
    # A plain layer's digest is its diff_id; that of a compressed one is not.
    if claim is not None and claim.algorithm == diff_id.algorithm and (claim == diff_id) != (compression == "none"):
        detail = f"the configuration says {diff_id}, and the layer is {_WRITTEN[compression]}"
        return Failure(InvalidImage("digest mismatch", name, detail))
    return Success(SavedLayer(member.name, member.offset, member.size, compression, diff_id, claim))


_WRITTEN: Final[dict[Compression, str]] = {
    "none": "a plain tar",
    "gzip": "compressed with gzip",
    "zstd": "compressed with zstd",
}


def _begins_a_tar(head: bytes, diff_id: Digest) -> bool:
    """Whether a layer begins with a header, or ends at once; nothing at all is a layer only if that is its diff_id."""
    if not head:
        return diff_id == digest_of(b"", diff_id.algorithm)
    return head == END_BLOCK or (len(head) == BLOCK and is_successful(parse_header(head)))
