"""Platforms: what an image runs on."""

from __future__ import annotations

from pydantic import Field

from registry_fp.domain.model import Document

__all__ = ["Platform"]


class Platform(Document):
    """An operating system and an architecture, in Go's names. Source: image-spec, image-index, "platform".

    >>> str(Platform(os="linux", architecture="arm64", variant="v8"))
    'linux/arm64/v8'
    """

    architecture: str
    os: str
    os_version: str | None = Field(default=None, validation_alias="os.version", serialization_alias="os.version")
    os_features: tuple[str, ...] | None = Field(
        default=None, validation_alias="os.features", serialization_alias="os.features"
    )
    variant: str | None = None
    features: tuple[str, ...] | None = None

    def __str__(self) -> str:
        """`os/architecture[/variant]`, as `--platform` takes it."""
        return "/".join(part for part in (self.os, self.architecture, self.variant) if part)
