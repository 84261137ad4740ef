"""Documents: the JSON form of small answers.

Here as in the other documents: fields are an interface, so they are added, and neither renamed nor taken away; sizes
are bytes, digests are `algorithm:hex`, and what is not known is null.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

from registry_fp import Descriptor

__all__ = [
    "ConfigDocument",
    "DescriptorDocument",
    "ManifestDocument",
    "PingDocument",
    "RepositoriesDocument",
    "RepositoryDocument",
    "ServeDocument",
    "TagDocument",
    "TagsDocument",
    "descriptor_document",
]


@final
@dataclass(frozen=True, slots=True)
class PingDocument:
    """`ping`: the registry answered, and let us in."""

    host: str
    ok: bool


@final
@dataclass(frozen=True, slots=True)
class ServeDocument:
    """`serve`: where it listens; `root` is null for a registry in memory."""

    host: str
    root: str | None


@final
@dataclass(frozen=True, slots=True)
class RepositoryDocument:
    """`repos`, one repository."""

    host: str
    repository: str


@final
@dataclass(frozen=True, slots=True)
class RepositoriesDocument:
    """`repos`."""

    host: str
    repositories: tuple[str, ...]


@final
@dataclass(frozen=True, slots=True)
class TagDocument:
    """`tags`, one tag."""

    repository: str
    tag: str


@final
@dataclass(frozen=True, slots=True)
class TagsDocument:
    """`tags`."""

    repository: str
    tags: tuple[str, ...]


@final
@dataclass(frozen=True, slots=True)
class DescriptorDocument:
    """`digest`, and each manifest of an index."""

    reference: str
    digest: str
    media_type: str
    size: int
    platform: str | None


@final
@dataclass(frozen=True, slots=True)
class ManifestDocument:
    """`manifest`, as the registry's JSON says it; its exact bytes are what the text form is for."""

    reference: str
    digest: str
    media_type: str
    size: int
    manifest: Any


@final
@dataclass(frozen=True, slots=True)
class ConfigDocument:
    """`config`, as its own JSON says it; its exact bytes are what the text form is for."""

    reference: str
    digest: str
    media_type: str
    size: int
    config: Any


def descriptor_document(reference: str, found: Descriptor) -> DescriptorDocument:
    """A descriptor, under the name that leads to it."""
    platform = None if found.platform is None else str(found.platform)
    return DescriptorDocument(reference, str(found.digest), found.media_type, found.size, platform)
