"""Options that many commands share: what they are called, and what they mean."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, Literal, TypeAlias, final

from cyclopts import Group, Parameter
from cyclopts.validators import Number

from registry_fp.cli.pairs import check_pairs

__all__ = [
    "ANY_REGISTRY",
    "AS_TEXT",
    "Codec",
    "FileNames",
    "Form",
    "HostName",
    "Pairs",
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

FileNames: TypeAlias = Annotated[list[str], Parameter(help="Files; FILE:TYPE says what kind one is.")]
"""Files of an artifact."""

Pairs: TypeAlias = Annotated[
    list[str] | None,
    Parameter(metavar="KEY=VALUE", help="May be given again.", negative="", validator=check_pairs),
]
"""The option for what is said of something, pair by pair."""

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

    wire_log: Annotated[bool, Parameter(negative="", show_default=False)] = False
    """Log every request and answer to standard error, without what is secret."""


def _whole(_: type, chosen: RemoteOptions | None) -> None:
    if chosen is not None and (chosen.username is not None) != chosen.password_stdin:
        raise ValueError("--username and --password-stdin belong together.")
    if chosen is not None and chosen.key is not None and chosen.cert is None:
        raise ValueError("--key belongs to --cert.")


@final
@Parameter(name="*", group=_COMMON, validator=_whole)
@dataclass(frozen=True, slots=True)
class RemoteOptions:
    """How a registry is talked to."""

    timeout: Timeout = None

    retries: Annotated[int | None, Parameter(metavar="TIMES", validator=Number(gte=0, lte=20))] = None
    """Try a request again, after a failure that may pass."""

    plain_http: Annotated[bool, Parameter(negative="", show_default=False)] = False
    """Speak HTTP without TLS to this host."""

    insecure: Annotated[bool, Parameter(negative="", show_default=False)] = False
    """Take any certificate from this host."""

    ca: Annotated[Path | None, Parameter(metavar="FILE")] = None
    """Trust these authorities, too (PEM)."""

    cert: Annotated[Path | None, Parameter(metavar="FILE")] = None
    """Show this certificate to this host (PEM)."""

    key: Annotated[Path | None, Parameter(metavar="FILE")] = None
    """The certificate's key, if it is in a file of its own."""

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
