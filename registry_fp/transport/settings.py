"""Settings: every number that can be chosen, with its unit and its reason.

An argument wins over an environment variable (`REGISTRY_FP_*`), and a variable over the default.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError
from returns.result import Failure, Result, Success

from registry_fp.domain.errors import Misconfigured, RegistryError
from registry_fp.domain.media_type import Compression
from registry_fp.domain.reference import canonical_host
from registry_fp.transport.host_settings import HostSettings, TlsVersion

__all__ = ["Settings", "read_settings"]

_PREFIX: Final = "REGISTRY_FP_"


def _split(value: Any) -> Any:
    return [each for each in value.replace(" ", "").split(",") if each] if isinstance(value, str) else value


def _loaded(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


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

    insecure: Annotated[frozenset[str], BeforeValidator(_split)] = frozenset()
    """Hosts whose certificate may be any, as `HOST[:PORT]`, comma-separated."""

    ca: Path | None = None
    """A PEM file of certificate authorities to trust beside the system's."""

    cert: Path | None = None
    """A PEM file with the certificate that we show to registries that ask for one."""

    key: Path | None = None
    """The PEM file with its key; None where `cert` holds both."""

    min_tls: TlsVersion = "1.2"
    """The oldest version of TLS that is spoken."""

    certs_dirs: tuple[Path, ...] | None = None
    """Folders with certificates by host, as Docker and podman have them; None is theirs."""

    http_proxy: SecretStr | None = None
    """The URL of the proxy for http; empty for none."""

    https_proxy: SecretStr | None = None
    """The URL of the proxy for https; empty for none."""

    no_proxy: str | None = None
    """Hosts, domains and networks that are reached without a proxy, comma-separated; `*` is all of them."""

    hosts: Annotated[dict[str, HostSettings], BeforeValidator(_loaded)] = Field(default_factory=dict)
    """What is chosen for single hosts, by `HOST[:PORT]`."""

    def host(self, name: str) -> HostSettings:
        """What is chosen for one host, `HOST[:PORT]`, as its references name it; the sets of hosts included.

        >>> Settings(plain_http="registry.local:5000").host("registry.local:5000").plain_http
        True
        """
        mine = next((each for key, each in self.hosts.items() if canonical_host(key) == name), HostSettings())
        is_plain = mine.plain_http or name in {canonical_host(each) for each in self.plain_http}
        is_insecure = mine.insecure or name in {canonical_host(each) for each in self.insecure}
        return mine.model_copy(update={"plain_http": is_plain, "insecure": is_insecure})


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
