"""A registry of one kind, made small: its limits are such that an image of a few hundred kilobytes meets them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

from registry_fp.protocol.profile import RegistryProfile
from registry_fp.testing import (
    EmbeddedRegistry,
    Manners,
    SampleImage,
    running_registry,
    sample_image,
    sample_layer,
    write_docker_save,
)

LIMIT = 192 * 1024
"""The most bytes of a body, or of a chunk, where the kind has a limit; a large layer has three times it."""

CUT_LIMIT = 1024 * 1024
"""The same where the connection is cut: each attempt at a smaller size costs one of the few that a client has."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A registry that runs, where it keeps what it has, and the most bytes of a body if it has a limit."""

    registry: EmbeddedRegistry
    root: Path
    limit: int

    @property
    def host(self) -> str:
        """Where it is."""
        return self.registry.host

    @contextmanager
    def seen_plainly(self) -> Iterator[EmbeddedRegistry]:
        """The same content in a plain registry, so that somebody else can read it."""
        with running_registry(self.root) as plain:
            yield plain


def small(profile: RegistryProfile) -> RegistryProfile:
    """The profile with limits that a small image meets."""
    return replace(
        profile,
        max_body=None if profile.max_body is None else _limit(profile),
        max_chunk=None if profile.max_chunk is None else LIMIT,
        min_chunk=min(profile.min_chunk, LIMIT // 4),
        page_max=None if profile.page_max is None or profile.refuses_long_pages else 2,
    )


@contextmanager
def kind(
    root: Path, profile: RegistryProfile | None = None, manners: Manners | None = None, **facts: Any
) -> Iterator[Kind]:
    """A registry with this profile, or with these facts."""
    chosen = profile if profile is not None else RegistryProfile(**facts)
    with running_registry(root, profile=chosen, manners=manners) as registry:
        yield Kind(registry, root, _limit(chosen))


def saved_image(path: Path, limit: int = LIMIT) -> SampleImage:
    """Write a docker archive of two large layers that no compression makes small, and one that is tiny."""
    random = Random(7)  # noqa: S311  bytes that no compression makes small
    layers = [sample_layer({f"opt/{name}": random.randbytes(3 * limit)}) for name in ("one", "two")]
    image = sample_image("app:1.0", layers=(*layers, sample_layer({"etc/motd": b"hello"})))
    write_docker_save(path, image)
    return image


def _limit(profile: RegistryProfile) -> int:
    return CUT_LIMIT if profile.too_large == "reset" else LIMIT
