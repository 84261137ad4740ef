"""Host settings: what is chosen for one registry."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, Self, TypeAlias

from pydantic import AfterValidator, Field, SecretStr, model_validator
from returns.pipeline import is_successful

from registry_fp.domain.errors import BadReference
from registry_fp.protocol.profile import PROFILES, named_profile
from registry_fp.transport.chosen import Chosen
from registry_fp.transport.mirror_name import parse_mirror

__all__ = ["HostSettings", "TlsVersion"]

TlsVersion: TypeAlias = Literal["1.2", "1.3"]
"""The oldest version of TLS that is spoken."""


def _mirrors(names: tuple[str, ...]) -> tuple[str, ...]:
    parsed = [parse_mirror(name) for name in names]
    for each in parsed:
        if not is_successful(each):
            reason = each.failure().reason
            raise ValueError(reason.why if isinstance(reason, BadReference) else "not a mirror")
    return tuple(str(each.unwrap()) for each in parsed)


def _profile(name: str | None) -> str | None:
    if name is not None and named_profile(name) is None:
        raise ValueError(f"not one of {', '.join(each.name for each in PROFILES)}")
    return name


class HostSettings(Chosen):
    """What is chosen for one host; None leaves it to the client's `Settings`."""

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
    """The proxy to reach it by, an `http://` URL; empty for none at all."""

    username: str | None = None
    """Who we are to it; with `password`."""

    password: SecretStr | None = None
    """The password of `username`."""

    token: SecretStr | None = None
    """A bearer token that it takes as it is, instead of a user name and a password."""

    mirrors: Annotated[tuple[str, ...], AfterValidator(_mirrors)] = ()
    """Where its content is looked for first, in order, as `HOST[:PORT][/PATH]`: with the path, `app` is `PATH/app`."""

    requests_per_second: Annotated[float, Field(gt=0)] | None = None
    """How many requests are begun in a second."""

    bytes_per_second: Annotated[int, Field(ge=1024)] | None = None
    """How many bytes of bodies are sent, and as many received, in a second."""

    connections: Annotated[int, Field(ge=1)] | None = None
    """Connections to it that are in use at once."""

    profile: Annotated[str | None, AfterValidator(_profile)] = None
    """The name of the profile that it behaves as, where its name does not tell (see `find_profile`)."""

    @model_validator(mode="after")
    def _account(self) -> Self:
        if (self.username is None) != (self.password is None):
            raise ValueError("username and password belong together")
        if self.token is not None and self.username is not None:
            raise ValueError("it is either a token, or a user name and a password")
        return self

    @property
    def chooses_tls(self) -> bool:
        """Whether anything about TLS is chosen for it, and then TLS is spoken to it, also on loopback.

        >>> HostSettings(min_tls="1.2").chooses_tls
        True
        """
        return self.insecure or any(each is not None for each in (self.ca, self.cert, self.key, self.min_tls))
