"""Embedded content: what a descriptor carries in its `data`, so that nobody has to fetch it.

Source: image-spec, descriptor, "Embedded Content".
"""

from __future__ import annotations

import base64

from returns.result import Failure, Result, Success

from registry_fp.domain.descriptor import Descriptor
from registry_fp.domain.digest import digest_of
from registry_fp.domain.errors import DigestMismatch, MalformedDocument, Reason, SizeMismatch
from registry_fp.domain.manifest import RawManifest, parse_manifest

__all__ = ["embedded", "embedded_manifest"]


def embedded(descriptor: Descriptor) -> Result[bytes | None, Reason]:
    """The content that a descriptor carries, proven to be what it names; None where it carries none.

    Fails with `MalformedDocument` where it is no base64, `SizeMismatch` and `DigestMismatch`: whoever believes the one
    and whoever fetches the other would have two different things under one name.

    >>> from registry_fp.domain.digest import digest_of
    >>> empty = Descriptor(media_type="application/vnd.oci.empty.v1+json", digest=digest_of(b"{}"), size=2, data="e30=")
    >>> embedded(empty).unwrap()
    b'{}'
    """
    if descriptor.data is None:
        return Success(None)
    try:
        content = base64.b64decode(descriptor.data, validate=True)
    except ValueError:
        return Failure(MalformedDocument(f"the data of {descriptor.digest} is no base64"))
    if len(content) != descriptor.size:
        return Failure(SizeMismatch(descriptor.size, len(content)))
    actual = digest_of(content, descriptor.digest.algorithm)
    return Success(content) if actual == descriptor.digest else Failure(DigestMismatch(descriptor.digest, actual))


def embedded_manifest(descriptor: Descriptor) -> Result[RawManifest | None, Reason]:
    """The same, as a manifest. Fails as `embedded` and as `parse_manifest`."""

    def parsed(content: bytes | None) -> Result[RawManifest | None, Reason]:
        if content is None:
            return Success(None)
        read = parse_manifest(content, descriptor.media_type, algorithm=descriptor.digest.algorithm)
        return read.map(lambda manifest: manifest)

    return embedded(descriptor).bind(parsed)
