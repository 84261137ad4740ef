"""Digests: the names that content gives itself.

A digest is parsed once, at the border, and is a value from then on; only parsed digests reach a URL or a path, so
a name like `sha256:../../x` (CVE-2024-3727) cannot travel any further.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol, TypeAlias, final

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema
from returns.result import Failure, Result, Success

from registry_fp.domain.errors import BadReference, RegistryError

__all__ = ["ALGORITHMS", "Algorithm", "Digest", "Hasher", "digest_of", "new_hasher", "parse_digest"]

Algorithm: TypeAlias = Literal["sha256", "sha512"]
"""What a digest can be computed by."""

ALGORITHMS: Final = {"sha256": 64, "sha512": 128}
"""The registered algorithms (image-spec, descriptor, "Registered Algorithms"), and how many hex digits each has."""

_HEX: Final = re.compile(r"[0-9a-f]+", re.ASCII)


class Hasher(Protocol):
    """What hashes bytes as they pass by: a `hashlib` object."""

    def update(self, data: bytes | memoryview, /) -> None:
        """Take in the next bytes."""

    def hexdigest(self) -> str:
        """The digest so far, in lower-case hex."""
        ...


@final
@dataclass(frozen=True, slots=True, order=True)
class Digest:
    """An algorithm and a lower-case hex value of exactly that algorithm's length.

    Made by `parse_digest` (text) or `digest_of` (bytes). Source: image-spec, descriptor, "Digests".

    >>> str(Digest("sha256", "0" * 64))[:12]
    'sha256:00000'
    """

    algorithm: str
    hex: str

    def __post_init__(self) -> None:
        why = _fault(str(self))
        if why is not None:  # text from outside goes through `parse_digest`; only a program's own mistake comes here
            raise ValueError(why)

    def __str__(self) -> str:
        """The canonical text, `algorithm:hex`."""
        return f"{self.algorithm}:{self.hex}"

    @property
    def short(self) -> str:
        """The first twelve hex digits, for people."""
        return self.hex[:12]

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """In JSON a digest is its text; a model holds the parsed value."""

        def parsed(text: str) -> Digest:
            why = _fault(text)
            if why is not None:
                raise ValueError(why)
            algorithm, _, value = text.partition(":")
            return cls(algorithm, value)

        from_text = core_schema.no_info_after_validator_function(parsed, core_schema.str_schema(strict=True))
        return core_schema.json_or_python_schema(
            json_schema=from_text,
            python_schema=core_schema.union_schema([core_schema.is_instance_schema(cls), from_text]),
            serialization=core_schema.to_string_ser_schema(),
        )


def parse_digest(text: str) -> Result[Digest, RegistryError]:
    """A digest is `algorithm:hex`, and the hex has exactly the algorithm's length.

    Fails with `BadReference`. Source: image-spec, descriptor, "Digests".

    >>> parse_digest("sha256:abc").failure().reason.why
    'sha256 needs 64 hex digits, found 3'
    >>> parse_digest("md5:" + "0" * 32).failure().reason.why
    'unknown algorithm: use sha256 or sha512'
    """
    why = _fault(text)
    if why is not None:
        return Failure(RegistryError("parse_digest", text[:256], BadReference(text[:256], why)))
    algorithm, _, value = text.partition(":")
    return Success(Digest(algorithm, value))


def new_hasher(algorithm: str = "sha256") -> Hasher:
    """A fresh hasher for one of `ALGORITHMS`."""
    return hashlib.new(algorithm, usedforsecurity=True)


def digest_of(content: bytes, algorithm: str = "sha256") -> Digest:
    """The digest of exactly these bytes.

    >>> str(digest_of(b""))[:19]
    'sha256:e3b0c44298fc'
    """
    return Digest(algorithm, hashlib.new(algorithm, content).hexdigest())


def _fault(text: str) -> str | None:
    algorithm, colon, value = text.partition(":")
    if not colon:
        return "a digest is algorithm:hex"
    width = ALGORITHMS.get(algorithm)
    if width is None:
        return f"unknown algorithm: use {' or '.join(ALGORITHMS)}"
    if len(value) != width:
        return f"{algorithm} needs {width} hex digits, found {len(value)}"
    if _HEX.fullmatch(value) is None:
        return "hex digits are 0-9 and a-f, in lower case"
    return None
