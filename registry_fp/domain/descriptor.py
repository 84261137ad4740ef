"""Descriptors: a pointer to content by media type, digest and size."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from pydantic import Field

from registry_fp.domain.digest import Digest
from registry_fp.domain.media_type import MediaType
from registry_fp.domain.model import Annotations, Document
from registry_fp.domain.platform import Platform

__all__ = ["Descriptor", "Size"]

Size: TypeAlias = Annotated[int, Field(ge=0, le=2**63 - 1)]
"""A number of bytes; never negative, and never allocated from."""


class Descriptor(Document):
    """What content is, what it is called and how many bytes it has. Source: image-spec, descriptor."""

    media_type: MediaType
    digest: Digest
    size: Size
    urls: tuple[str, ...] | None = None
    annotations: Annotations | None = None
    data: str | None = None
    artifact_type: MediaType | None = None
    platform: Platform | None = None
