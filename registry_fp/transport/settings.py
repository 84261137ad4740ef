"""Settings: every number that can be chosen, with its unit and its reason.

An argument wins over an environment variable (`REGISTRY_FP_*`), a variable over the settings file, and that over the
default.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Final, TypeAlias, final

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_core import ErrorDetails
from returns.pipeline import is_successful
from returns.result import Failure, Result, Success
from yarl import URL

from registry_fp.domain.errors import BadReference, Misconfigured, RegistryError
from registry_fp.domain.media_type import Compression
from registry_fp.domain.reference import canonical_host, parse_host
from registry_fp.transport.chosen import Chosen
from registry_fp.transport.host_name import host_names, twin_of
from registry_fp.transport.host_settings import HostSettings, TlsVersion
from registry_fp.transport.proxy import standard_proxies
from registry_fp.transport.settings_file import read_settings_file

__all__ = ["Settings", "read_settings"]

_PREFIX: Final = "REGISTRY_FP_"


def _split(value: Any) -> Any:
    return [each.strip() for each in value.split(",") if each.strip()] if isinstance(value, str) else value


def _folders(value: Any) -> Any:
    return [each for each in value.split(os.pathsep) if each] if isinstance(value, str) else value


def _loaded(value: Any) -> Any:
    try:
        return json.loads(value) if isinstance(value, str) else value
    except json.JSONDecodeError as error:
        raise ValueError(f"it is not JSON (line {error.lineno}, column {error.colno})") from None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _hosts(value: dict[str, HostSettings]) -> dict[str, HostSettings]:
    named: dict[str, HostSettings] = {}
    for name, chosen in value.items():
        host = _host(name, name)
        if host in named:
            raise ValueError(f"{host} is there twice, in two spellings")
        named[host] = chosen
    return named


def _host_set(value: frozenset[str]) -> frozenset[str]:
    for name in value:  # a bare word can be one, too: it is of a URL, and not of a reference
        _host(name, name if "." in name or ":" in name else f"{name}:443")
    return frozenset(map(canonical_host, value))


def _host(name: str, qualified: str) -> str:
    host = parse_host(qualified)
    if is_successful(host):
        return host.unwrap()
    reason = host.failure().reason
    shown = f"***@{name.rpartition('@')[2]}" if "@" in name else name
    raise ValueError(f"{shown!r}: {reason.why if isinstance(reason, BadReference) else 'not a host'}")


_HostSet: TypeAlias = Annotated[frozenset[str], BeforeValidator(_split), AfterValidator(_host_set)]


class Settings(Chosen):
    """How a client works: a value, made of arguments and defaults alone.

    `read_settings` takes what it is not given from the environment (`concurrency` from `REGISTRY_FP_CONCURRENCY`, ...)
    and from the settings file.
    """

    concurrency: Annotated[int, Field(ge=1, le=64)] = 6
    """How many blobs of one image are under way at once."""

    connections: Annotated[int, Field(ge=1)] = 100
    """Connections in use at once, in all; idle ones are kept for some seconds, and do not count."""

    connections_per_host: Annotated[int, Field(ge=1)] = 30
    """Connections to one host that are in use at once."""

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

    wire_log: bool = False
    """Log every request and answer, without what is secret, as `registry_fp.wire` at the level DEBUG."""

    plain_http: _HostSet = frozenset()
    """Hosts that speak HTTP without TLS, as `HOST[:PORT]`, comma-separated; loopback names always may."""

    trusted_realms: _HostSet = frozenset()
    """Token servers that are told who we are whichever registry names them, as `HOST[:PORT]`, comma-separated; those of
    the registry's own host always are."""

    private_hosts: _HostSet = frozenset()
    """Hosts of our own network that registries outside it may lead to, as `HOST[:PORT]`, comma-separated; everything
    else that a registry leads to is on the internet, or as near to us as the registry itself."""

    insecure: _HostSet = frozenset()
    """Hosts whose certificate may be any, as `HOST[:PORT]`, comma-separated."""

    ca: Path | None = None
    """A PEM file of certificate authorities to trust beside the system's."""

    cert: Path | None = None
    """A PEM file with the certificate that we show to registries that ask for one."""

    key: Path | None = None
    """The PEM file with its key; None where `cert` holds both."""

    min_tls: TlsVersion = "1.2"
    """The oldest version of TLS that is spoken."""

    certs_dirs: Annotated[tuple[Path, ...] | None, BeforeValidator(_folders)] = None
    """Folders with certificates by host, as Docker and podman have them; None is theirs. A variable has them as `PATH`
    has folders."""

    http_proxy: SecretStr | None = None
    """The proxy for http, an `http://` URL; empty for none."""

    https_proxy: SecretStr | None = None
    """The proxy for https, which is an `http://` URL, too: TLS goes through it as it is. Empty for none."""

    no_proxy: str | None = None
    """Hosts, domains and networks that are reached without a proxy, comma-separated; `*` is all of them."""

    hosts: Annotated[dict[str, HostSettings], BeforeValidator(_loaded), AfterValidator(_hosts)] = Field(
        default_factory=dict
    )
    """What is chosen for single hosts, by `HOST[:PORT]`."""

    def host(self, name: str) -> HostSettings:
        """What is chosen for one host, `HOST[:PORT]`, as its references name it; the sets of hosts included.

        `HOST` and `HOST:443` are one host, except where either is chosen to speak HTTP without TLS.

        >>> Settings(plain_http="registry.local:5000").host("registry.local:5000").plain_http
        True
        """
        twin = twin_of(name)
        return self._of((name,) if twin is None or self._of((twin,)).plain_http else (name, twin))

    def at(self, url: URL) -> HostSettings:
        """What is chosen for the host that a request goes to, by whichever of its names."""
        return self._of(host_names(url))

    def name_of(self, url: URL) -> str:
        """What `hosts` calls the host of a URL, or would.

        >>> Settings(hosts={"ghcr.io:443": HostSettings(connections=2)}).name_of(URL("https://ghcr.io/v2/"))
        'ghcr.io:443'
        """
        names = host_names(url)
        return next((name for name in names if name in self.hosts), names[0])

    def _of(self, names: Sequence[str]) -> HostSettings:
        mine = next((self.hosts[name] for name in names if name in self.hosts), HostSettings())
        is_plain = mine.plain_http or not self.plain_http.isdisjoint(names)
        is_insecure = mine.insecure or not self.insecure.isdisjoint(names)
        return mine.model_copy(update={"plain_http": is_plain, "insecure": is_insecure})


def read_settings(**chosen: Any) -> Result[Settings, RegistryError]:
    """The settings of `chosen`, then of the environment, then of the settings file: what says it first, wins.

    A host is taken as a whole from where it is named first. Below all of them are the variables for proxies that every
    program knows. Fails with `Misconfigured`, naming the setting; the target is where it comes from.

    >>> read_settings(concurrency=0).failure().reason.setting
    'concurrency'
    """
    read = read_settings_file(os.environ)
    if not is_successful(read):
        return Failure(read.failure())
    file = read.unwrap()
    layers = (
        _Layer(chosen, lambda setting: setting),
        _Layer(_variables(), lambda setting: f"{_PREFIX}{setting.partition('.')[0].upper()}"),
        *(() if file is None else (_Layer(file.values, lambda _: file.path),)),
        _Layer(standard_proxies(os.environ), lambda setting: setting),
    )
    try:
        return Success(Settings(**_together(layers)))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        setting = ".".join(_without_account(str(part)) for part in first["loc"]) or "settings"
        source = next((each.source(setting) for each in layers if each.says(first["loc"])), setting)
        return Failure(RegistryError("read_settings", source, Misconfigured(setting, _told(first))))


def _told(wrong: ErrorDetails) -> str:
    """What is wrong with a setting, for somebody who does not know pydantic; without the value, which may be secret."""
    place = [str(part) for part in wrong["loc"]]
    match wrong["type"]:
        case "extra_forbidden":
            known = HostSettings.model_fields if len(place) > 1 else Settings.model_fields
            meant = get_close_matches(place[-1], known, 1)
            return f"there is no such setting; did you mean {meant[0]}?" if meant else "there is no such setting"
        case "tuple_type" | "list_type" | "frozen_set_type":
            return "it should be a list"
        case "dict_type" | "model_type":
            return "it should be a table"
        case "value_error":
            return wrong["msg"].removeprefix("Value error, ")
        case _:
            return wrong["msg"].replace("Input should be", "it should be", 1)


def _without_account(part: str) -> str:
    """A part of a setting's name as it can be shown: a host may have been written with a password before it."""
    return f"***@{part.rpartition('@')[2]}" if "@" in part else part


@final
@dataclass(frozen=True, slots=True)
class _Layer:
    """Some of the settings, and where each of them comes from."""

    values: Mapping[str, Any] = field(repr=False)
    source: Callable[[str], str]

    @property
    def hosts(self) -> Any:
        """What is chosen for hosts, by their one spelling; whatever it is, where it is no such thing."""
        try:
            hosts = _loaded(self.values.get("hosts", {}))
        except ValueError:
            return self.values["hosts"]
        if not isinstance(hosts, Mapping):
            return hosts
        named = {canonical_host(str(name)): each for name, each in hosts.items()}
        return named if len(named) == len(hosts) else hosts  # two names of one host will be refused

    def says(self, place: tuple[int | str, ...]) -> bool:
        """Whether it is this layer that has what is wrong at this place."""
        hosts = self.hosts
        if place[:1] != ("hosts",) or len(place) == 1 or not isinstance(hosts, Mapping):
            return bool(place) and place[0] in self.values
        return canonical_host(str(place[1])) in hosts


def _together(layers: Sequence[_Layer]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    hosts: dict[str, Any] = {}
    for layer in reversed(layers):
        values |= layer.values
        found = layer.hosts
        if not isinstance(found, Mapping):
            return {"hosts": found}  # it is nothing that could be joined, and will be refused
        hosts |= found
    return {**values, "hosts": hosts}


def _variables() -> dict[str, Any]:
    """The text of every setting that has a variable; what it may be is decided with everything else."""
    named = {name: f"{_PREFIX}{name.upper()}" for name in Settings.model_fields}
    return {name: os.environ[variable] for name, variable in named.items() if variable in os.environ}
