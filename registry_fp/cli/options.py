"""Options that many commands share: what they are called, and what they mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final, Literal, TypeAlias, final

from cyclopts import Group, Parameter
from cyclopts.validators import Number

__all__ = [
    "ANY_REGISTRY",
    "AS_TEXT",
    "Codec",
    "Form",
    "HostName",
    "ReferenceName",
    "RemoteOptions",
    "RepositoryName",
    "Selector",
    "ShowOptions",
    "Timeout",
]

Form: TypeAlias = Literal["text", "json", "ndjson", "quiet"]
"""How results are written: for people, as one JSON document, as one JSON object a line, or only the essential."""

Codec: TypeAlias = Literal["gzip", "zstd", "none"]
"""What a layer that is not compressed becomes on its way."""

HostName: TypeAlias = Annotated[str, Parameter(help="HOST[:PORT].")]
"""A registry."""

RepositoryName: TypeAlias = Annotated[str, Parameter(help="[HOST[:PORT]/]NAME.")]
"""A repository."""

ReferenceName: TypeAlias = Annotated[str, Parameter(help="[HOST[:PORT]/]NAME[:TAG][@DIGEST].")]
"""A manifest."""

Selector: TypeAlias = Annotated[
    str | None,
    Parameter(name="--image", metavar="SELECTOR", help="Which image of the archive: a tag, a position or an id."),
]
"""One image of an archive that holds several."""

_COMMON: Final = Group("Common options", sort_key=10)

Timeout: TypeAlias = Annotated[
    float | None,
    Parameter(
        name="--timeout", metavar="SECONDS", validator=Number(gt=0), group=_COMMON, help="For all of it together."
    ),
]
"""The option for the caller's own limit on everything that a command does."""


@final
@Parameter(name="*", group=_COMMON)
@dataclass(frozen=True, slots=True)
class ShowOptions:
    """What is written, and where."""

    output: Annotated[Form, Parameter(alias="-o", metavar="FORM")] = "text"
    """How results are written."""

    no_progress: Annotated[bool, Parameter(negative="", show_default=False)] = False
    """Say nothing about work under way."""

    verbose: Annotated[bool, Parameter(alias="-v", negative="", show_default=False)] = False
    """Log to standard error; show where a bug is."""


def _whole_account(_: type, chosen: RemoteOptions | None) -> None:
    if chosen is not None and (chosen.username is not None) != chosen.password_stdin:
        raise ValueError("--username and --password-stdin belong together.")


@final
@Parameter(name="*", group=_COMMON, validator=_whole_account)
@dataclass(frozen=True, slots=True)
class RemoteOptions:
    """How a registry is talked to."""

    timeout: Timeout = None

    retries: Annotated[int | None, Parameter(metavar="TIMES", validator=Number(gte=0, lte=20))] = None
    """Try a request again, after a failure that may pass."""

    plain_http: Annotated[bool, Parameter(negative="", show_default=False)] = False
    """Speak HTTP without TLS to this host."""

    no_cache: Annotated[bool, Parameter(negative="", show_default=False)] = False
    """Remember nothing of earlier pushes."""

    username: Annotated[str | None, Parameter(metavar="NAME")] = None
    """Who we are; needs --password-stdin."""

    password_stdin: Annotated[bool, Parameter(negative="", show_default=False)] = False
    """Read the password from standard input."""


AS_TEXT: Final = ShowOptions()
"""What is shown if nothing else is asked for."""

ANY_REGISTRY: Final = RemoteOptions()
"""How a registry is talked to if nothing else is asked for."""
