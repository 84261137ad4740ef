"""Settings: every number that can be chosen, with its unit and its reason.

An argument wins over an environment variable (`REGISTRY_FP_*`), and a variable over the default.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from returns.result import Failure, Result, Success

from registry_fp.domain.errors import Misconfigured, RegistryError
from registry_fp.domain.media_type import Compression
from registry_fp.domain.reference import canonical_host

__all__ = ["HostSettings", "Settings", "read_settings"]

_PREFIX: Final = "REGISTRY_FP_"


def _split(value: Any) -> Any:
    return [each for each in value.replace(" ", "").split(",") if each] if isinstance(value, str) else value


def _loaded(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


class HostSettings(BaseModel):
    """What is chosen for one host."""

    model_config: ClassVar[ConfigDict] = ConfigDict(frozen=True, extra="forbid")

    plain_http: bool = False
    """Speak HTTP without TLS to it; never a silent fallback."""


class Settings(BaseModel):
    """How a client works: a value, made of arguments and defaults alone.

    `read_settings` takes what it is not given from the environment: `concurrency` from `REGISTRY_FP_CONCURRENCY`, ...
    """

    model_config: ClassVar[ConfigDict] = ConfigDict(frozen=True, extra="forbid")

    concurrency: Annotated[int, Field(ge=1, le=64)] = 6
    """How many blobs of one image are under way at once."""

    connections: Annotated[int, Field(ge=1)] = 100
    """Open connections in all."""

    connections_per_host: Annotated[int, Field(ge=1)] = 30
    """Open connections to one host."""

    connect_timeout: Annotated[float, Field(gt=0)] = 10.0
    """Seconds until a connection, TLS included, must stand."""

    answer_timeout: Annotated[float, Field(gt=0)] = 60.0
    """Seconds that an answer may take to begin; five times as long where a registry first checks a whole blob."""

    idle_timeout: Annotated[float, Field(gt=0)] = 30.0
    """Seconds that a stream may stand still, in either direction. There is no limit on a whole transfer."""

    min_rate: Annotated[int, Field(ge=0)] = 1024
    """Bytes per second below which a stream, over a minute, counts as stuck; 0 for no such limit."""

    retries: Annotated[int, Field(ge=0, le=20)] = 4
    """How many times a request is tried again after a transient failure."""

    small_blob: Annotated[int, Field(ge=0, le=16 * 1024 * 1024)] = 1024 * 1024
    """Blobs up to this many bytes go in one PUT; larger ones are streamed."""

    compression: Compression = "gzip"
    """What layers that are not compressed become on their way."""

    level: int | None = None
    """The compression level; None is the codec's own fast default."""

    cache: bool = True
    """Remember what layers became, so that the next push of the same layer need not compress it."""

    cache_dir: Path | None = None
    """Where that is remembered; None is the user's cache folder."""

    plain_http: Annotated[frozenset[str], BeforeValidator(_split)] = frozenset()
    """Hosts that speak HTTP without TLS, as `HOST[:PORT]`, comma-separated; loopback names always may."""

    trusted_realms: Annotated[frozenset[str], BeforeValidator(_split)] = frozenset()
    """Token servers that are told who we are whichever registry names them, as `HOST[:PORT]`, comma-separated; those of
    the registry's own host always are."""

    hosts: Annotated[dict[str, HostSettings], BeforeValidator(_loaded)] = Field(default_factory=dict)
    """What is chosen for single hosts, by `HOST[:PORT]`."""

    def is_plain(self, host: str) -> bool:
        """Whether this host is spoken to without TLS by choice."""
        plain = self.plain_http | {name for name, chosen in self.hosts.items() if chosen.plain_http}
        return host in {canonical_host(name) for name in plain}


def read_settings(**chosen: Any) -> Result[Settings, RegistryError]:
    """The settings of the environment, with `chosen` on top.

    Fails with `Misconfigured`, naming the setting.

    >>> read_settings(concurrency=0).failure().reason.setting
    'concurrency'
    """
    try:
        return Success(Settings(**(_variables() | chosen)))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        setting = ".".join(str(part) for part in first["loc"]) or "settings"
        name = setting if setting in chosen else f"{_PREFIX}{setting.upper()}"
        return Failure(RegistryError("read_settings", name, Misconfigured(setting, first["msg"])))


def _variables() -> dict[str, Any]:
    """The text of every setting that has a variable; what it may be is decided with everything else."""
    named = {name: f"{_PREFIX}{name.upper()}" for name in Settings.model_fields}
    return {name: os.environ[variable] for name, variable in named.items() if variable in os.environ}
