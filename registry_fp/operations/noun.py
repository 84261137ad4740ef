"""Nouns: what a verb is about, as a parsed value or as text that is parsed first."""

from __future__ import annotations

from dataclasses import replace

from returns.future import FutureResult

from registry_fp.domain.digest import Digest, parse_digest
from registry_fp.domain.errors import RegistryError
from registry_fp.domain.reference import Reference, Repository, parse_host, parse_reference, parse_repository
from registry_fp.effect.operation import Op

__all__ = ["digest_noun", "host_noun", "reference_noun", "repository_noun"]


def reference_noun(doing: str, noun: str | Reference) -> Op[Reference]:
    """The reference that is meant; fails with `BadReference` before anything is sent."""
    if isinstance(noun, Reference):
        return FutureResult.from_value(noun)
    return FutureResult.from_result(parse_reference(noun).alt(lambda error: _as(doing, error)))


def repository_noun(doing: str, noun: str | Repository) -> Op[Repository]:
    """The repository that is meant; fails with `BadReference` before anything is sent."""
    if isinstance(noun, Repository):
        return FutureResult.from_value(noun)
    return FutureResult.from_result(parse_repository(noun).alt(lambda error: _as(doing, error)))


def digest_noun(doing: str, noun: str | Digest) -> Op[Digest]:
    """The digest that is meant; fails with `BadReference` before anything is sent."""
    if isinstance(noun, Digest):
        return FutureResult.from_value(noun)
    return FutureResult.from_result(parse_digest(noun).alt(lambda error: _as(doing, error)))


def host_noun(doing: str, noun: str) -> Op[str]:
    """The host that is meant; fails with `BadReference` before anything is sent."""
    return FutureResult.from_result(parse_host(noun).alt(lambda error: _as(doing, error)))


def _as(doing: str, error: RegistryError) -> RegistryError:
    return replace(error, doing=doing)
