"""The catalogue: which repository knows which blob, manifest and tag.

It is kept in memory and written through to the storage, so that a storage can be read again from its links.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import final

from registry_fp.domain.digest import Digest, parse_digest
from registry_fp.testing.outline import Outline, read_outline
from registry_fp.testing.storage import Link, Sink, Storage

__all__ = ["Catalogue"]


@final
@dataclass(slots=True)
class _Repository:
    """What one repository knows; it changes in place, and only the catalogue changes it."""

    blobs: set[Digest] = field(default_factory=set)
    manifests: dict[Digest, Outline] = field(default_factory=dict)
    tags: dict[str, Digest] = field(default_factory=dict)


@final
class Catalogue:
    """The repositories of one registry, over one storage."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage
        self._repositories: defaultdict[str, _Repository] = defaultdict(_Repository)

    async def open(self) -> None:
        """Read every link that the storage knows."""
        self._repositories.clear()
        for link in await self.storage.open():
            repository = self._repositories[link.repository]
            match link.kind:
                case "blob":
                    repository.blobs.add(parse_digest(link.key).unwrap())
                case "manifest":
                    digest = parse_digest(link.key).unwrap()
                    outline = read_outline(await self.content(digest), link.value)
                    if isinstance(outline, Outline):
                        repository.manifests[digest] = outline
                case "tag":
                    repository.tags[link.key] = parse_digest(link.value).unwrap()

    def names(self) -> list[str]:
        """Every repository that was ever written to, sorted."""
        return sorted(self._repositories)

    def tags(self, name: str) -> list[str] | None:
        """A repository's tags in the order of their bytes; None for an unknown repository."""
        return sorted(self._repositories[name].tags) if name in self._repositories else None

    def has_blob(self, name: str, digest: Digest) -> bool:
        """Whether the repository has this blob."""
        return name in self._repositories and digest in self._repositories[name].blobs

    def holder(self, digest: Digest, name: str | None) -> str | None:
        """A repository that has this blob: the named one, or any."""
        names = self._repositories if name is None else (name,)
        return next((found for found in names if self.has_blob(found, digest)), None)

    def find(self, name: str, reference: Digest | str) -> tuple[Digest, Outline] | None:
        """The manifest with this digest, or behind this tag."""
        if name not in self._repositories:
            return None
        repository = self._repositories[name]
        digest = repository.tags.get(reference) if isinstance(reference, str) else reference
        outline = None if digest is None else repository.manifests.get(digest)
        return None if digest is None or outline is None else (digest, outline)

    def referrers(self, name: str, subject: Digest) -> list[tuple[Digest, Outline]]:
        """The manifests whose subject this is, sorted by digest."""
        found = self._repositories[name].manifests if name in self._repositories else {}
        return sorted((entry for entry in found.items() if entry[1].subject == subject), key=lambda entry: entry[0])

    def missing(self, name: str, outline: Outline) -> tuple[Digest, ...]:
        """What a manifest needs and its repository lacks. An index may also point at blobs, as build caches do."""
        repository = self._repositories.get(name, _Repository())
        blobs = [pointer.digest for pointer in outline.blobs if pointer.digest not in repository.blobs]
        known = repository.blobs | repository.manifests.keys()
        return (*blobs, *(pointer.digest for pointer in outline.children if pointer.digest not in known))

    async def content(self, digest: Digest) -> bytes:
        """A manifest's bytes, as a whole; none where its file was removed behind our back."""
        size = await self.storage.size(digest)
        if size is None:
            return b""
        return b"".join([piece async for piece in self.storage.read(digest, 0, size)])

    async def keep_blob(self, name: str, digest: Digest, sink: Sink) -> None:
        """The repository has new content from now on."""
        # Known before it is there: whoever deletes the same content elsewhere meanwhile must see that it is needed.
        self._repositories[name].blobs.add(digest)
        await sink.keep(digest)
        await self.add_blob(name, digest)

    async def add_blob(self, name: str, digest: Digest) -> None:
        """The repository has this blob from now on."""
        self._repositories[name].blobs.add(digest)
        await self.storage.link(Link(name, "blob", str(digest)))

    async def keep_manifest(self, name: str, digest: Digest, outline: Outline, raw: bytes) -> None:
        """The repository has this manifest from now on."""
        sink = self.storage.new_sink(digest.algorithm)
        await sink.append(raw)
        self._repositories[name].manifests[digest] = outline
        await sink.keep(digest)
        await self.storage.link(Link(name, "manifest", str(digest), outline.media_type))

    async def add_tag(self, name: str, tag: str, digest: Digest) -> None:
        """The tag points at this manifest from now on."""
        self._repositories[name].tags[tag] = digest
        await self.storage.link(Link(name, "tag", tag, str(digest)))

    async def remove_blob(self, name: str, digest: Digest) -> None:
        """The repository has this blob no more."""
        self._repositories[name].blobs.discard(digest)
        await self.storage.unlink(Link(name, "blob", str(digest)))
        await self._sweep(digest)

    async def remove_manifest(self, name: str, digest: Digest) -> None:
        """The repository has neither this manifest nor a tag on it any more."""
        repository = self._repositories[name]
        for tag in [tag for tag, found in repository.tags.items() if found == digest]:
            await self.remove_tag(name, tag)
        repository.manifests.pop(digest, None)
        await self.storage.unlink(Link(name, "manifest", str(digest)))
        await self._sweep(digest)

    async def remove_tag(self, name: str, tag: str) -> None:
        """The tag is gone; what it pointed at stays."""
        self._repositories[name].tags.pop(tag, None)
        await self.storage.unlink(Link(name, "tag", tag))

    async def _sweep(self, digest: Digest) -> None:
        known = self._repositories.values()
        if not any(digest in repository.blobs or digest in repository.manifests for repository in known):
            await self.storage.forget(digest)
