"""Nouns: what a verb is about, as a parsed value or as text that is parsed first."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from returns.future import FutureResult
from returns.result import Failure, Result, Success

from registry_fp.domain.digest import Digest, parse_digest
from registry_fp.domain.errors import BadReference, RegistryError
from registry_fp.domain.reference import Reference, Repository, parse_host, parse_reference, parse_repository
from registry_fp.effect.operation import Op

__all__ = ["digest_noun", "host_noun", "reference_noun", "repository_noun"]


T = TypeVar("T")


def reference_noun(doing: str, noun: str | Reference) -> Op[Reference]:
    """The reference that is meant; fails with `BadReference` before anything is sent."""
    parsed = parse_reference(str(noun)).bind(lambda name: _meant(doing, noun, name))
    return FutureResult.from_result(parsed.alt(lambda error: _as(doing, error)))


def repository_noun(doing: str, noun: str | Repository) -> Op[Repository]:
    """The repository that is meant; fails with `BadReference` before anything is sent."""
    parsed = parse_repository(str(noun)).bind(lambda name: _meant(doing, noun, name))
    return FutureResult.from_result(parsed.alt(lambda error: _as(doing, error)))


def digest_noun(doing: str, noun: str | Digest) -> Op[Digest]:
    """The digest that is meant; fails with `BadReference` before anything is sent."""
    if isinstance(noun, Digest):
        return FutureResult.from_value(noun)
    return FutureResult.from_result(parse_digest(noun).alt(lambda error: _as(doing, error)))


def host_noun(doing: str, noun: str) -> Op[str]:
    """The host that is meant; fails with `BadReference` before anything is sent."""
    return FutureResult.from_result(parse_host(noun).alt(lambda error: _as(doing, error)))


def _meant(doing: str, noun: object, parsed: T) -> Result[T, RegistryError]:
    """A value that was made by hand may be none that a name could stand for."""
    if isinstance(noun, str) or noun == parsed:
        return Success(parsed)
    return Failure(RegistryError(doing, str(noun)[:300], BadReference(str(noun)[:300], "no name stands for this")))


def _as(doing: str, error: RegistryError) -> RegistryError:
    return replace(error, doing=doing)
