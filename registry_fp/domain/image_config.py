"""Image configurations: how an image runs, and which layers it is made of."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import BeforeValidator, ConfigDict, Field
from returns.pipeline import is_successful
from returns.result import Failure, Result

from registry_fp.domain.digest import Digest
from registry_fp.domain.errors import LimitExceeded, MalformedDocument
from registry_fp.domain.model import Annotations, Document, parse_model
from registry_fp.domain.platform import Platform
from registry_fp.domain.strict_json import load_strict

__all__ = ["CONFIG_LIMIT", "ExecutionConfig", "History", "ImageConfig", "RootFs", "parse_image_config"]

CONFIG_LIMIT: Final = 8 * 1024 * 1024
"""The largest configuration that is read, in bytes."""


def _empty_if_null(value: Any) -> Any:
    # Go writes an empty list as null, or leaves it out: an image of no layers. (Past this, JSON's list is Python's.)
    return tuple(value or ()) if value is None or isinstance(value, list) else value


class ExecutionConfig(Document):
    """What a container of the image runs. Source: image-spec, config, "config"."""

    model_config: ClassVar[ConfigDict] = ConfigDict(alias_generator=lambda name: name.title().replace("_", ""))

    user: str | None = None
    env: tuple[str, ...] | None = None
    entrypoint: tuple[str, ...] | None = None
    cmd: tuple[str, ...] | None = None
    working_dir: str | None = None
    labels: Annotations | None = None
    stop_signal: str | None = None


class RootFs(Document):
    """The layers of an image, oldest first, by the digest of their uncompressed tar. Source: image-spec, "rootfs"."""

    model_config: ClassVar[ConfigDict] = ConfigDict(alias_generator=None)

    type: Literal["layers"]
    diff_ids: Annotated[tuple[Digest, ...], BeforeValidator(_empty_if_null)] = ()


class History(Document):
    """How one layer, or one change without a layer, came about. Source: image-spec, config, "history"."""

    model_config: ClassVar[ConfigDict] = ConfigDict(alias_generator=None)

    created: str | None = None
    author: str | None = None
    created_by: str | None = None
    comment: str | None = None
    empty_layer: bool | None = None


class ImageConfig(Document):
    """An image's configuration. Source: image-spec, config; Docker image specification v1.2, "Image JSON"."""

    architecture: str
    os: str
    os_version: str | None = Field(default=None, validation_alias="os.version", serialization_alias="os.version")
    variant: str | None = None
    created: str | None = None
    author: str | None = None
    config: ExecutionConfig | None = None
    rootfs: RootFs
    history: tuple[History, ...] | None = None

    @property
    def platform(self) -> Platform:
        """What the image runs on."""
        return Platform(architecture=self.architecture, os=self.os, variant=self.variant, os_version=self.os_version)


def parse_image_config(raw: bytes) -> Result[ImageConfig, MalformedDocument | LimitExceeded]:
    """An image configuration from its exact bytes.

    Fails with `MalformedDocument` or, beyond `CONFIG_LIMIT` bytes, `LimitExceeded`.
    """
    checked = load_strict(raw, limit=CONFIG_LIMIT)
    return Failure(checked.failure()) if not is_successful(checked) else parse_model(ImageConfig, raw)
