"""Host settings: what is chosen for one registry."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, ClassVar, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, SecretStr

__all__ = ["HostSettings", "TlsVersion"]

TlsVersion: TypeAlias = Literal["1.2", "1.3"]
"""The oldest version of TLS that is spoken."""


class HostSettings(BaseModel):
    """What is chosen for one host; None leaves it to the client's `Settings`."""

    model_config: ClassVar[ConfigDict] = ConfigDict(frozen=True, extra="forbid")

    plain_http: bool = False
    """Speak HTTP without TLS to it; never a silent fallback."""

    insecure: bool = False
    """Take any certificate from it; this holds for the host alone, and not for the token server that it names."""

    ca: Path | None = None
    """A PEM file of certificate authorities to trust beside the system's."""

    cert: Path | None = None
    """A PEM file with the certificate that we show."""

    key: Path | None = None
    """The PEM file with its key; None where `cert` holds both."""

    min_tls: TlsVersion | None = None
    """The oldest version of TLS that is spoken."""

    proxy: SecretStr | None = None
    """The URL of the HTTP proxy to reach it by; empty for none at all."""

    mirrors: tuple[str, ...] = ()
    """Where its content is looked for first, in order, as `HOST[:PORT][/PATH]`."""

    requests_per_second: Annotated[float, Field(gt=0)] | None = None
    """How many requests are begun in a second."""

    bytes_per_second: Annotated[int, Field(ge=1024)] | None = None
    """How many bytes of bodies are sent, and as many received, in a second."""

    connections: Annotated[int, Field(ge=1)] | None = None
    """Open connections to it."""

    profile: str | None = None
    """The name of the profile that it behaves as, where its name does not tell (see `find_profile`)."""
