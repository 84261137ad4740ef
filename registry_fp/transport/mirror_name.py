"""Names of mirrors: a host, and what it puts before the repositories that it stands for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from registry_fp.domain.errors import BadReference, RegistryError
from registry_fp.domain.reference import parse_host, parse_repository

__all__ = ["MirrorName", "parse_mirror"]


@final
@dataclass(frozen=True, slots=True)
class MirrorName:
    """`team/app` of the registry is `team/app` of the mirror's `host`, or `PATH/team/app` where it has a path."""

    host: str
    path: str = ""

    def __str__(self) -> str:
        return f"{self.host}/{self.path}" if self.path else self.host


def parse_mirror(text: str) -> Result[MirrorName, RegistryError]:
    """A mirror as `HOST[:PORT][/PATH]`; a slash at the end is none.

    Fails with `BadReference`.

    >>> parse_mirror("harbor.example/hub/").unwrap()
    MirrorName(host='harbor.example', path='hub')
    >>> parse_mirror("https://mirror.example").failure().reason.why
    'leave out https://'
    """
    name, _, path = text.removesuffix("/").partition("/")
    host = parse_host(text if "://" in text or "@" in text else name)
    if not is_successful(host):
        return Failure(host.failure())
    if not path:
        return Success(MirrorName(host.unwrap()))
    if ":" in path:
        return Failure(RegistryError("parse_mirror", text, BadReference(text, "a mirror has no tag or digest")))
    return parse_repository(text.removesuffix("/")).map(lambda found: MirrorName(found.host, found.path))
