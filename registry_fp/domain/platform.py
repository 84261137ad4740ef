"""Platforms: what an image runs on, how people write it, and which image of an index a machine takes.

Matching and its order are containerd's, because what a name brings must not depend on the tool that fetches it.
"""

from __future__ import annotations

import platform as machine
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, TypeAlias

from pydantic import Field
from returns.result import Failure, Result, Success

from registry_fp.domain.errors import BadReference, NoSuchPlatform, RegistryError
from registry_fp.domain.model import Document

if TYPE_CHECKING:  # a descriptor holds a platform, so the modules know each other
    from registry_fp.domain.descriptor import Descriptor
    from registry_fp.domain.manifest import ImageIndex

__all__ = ["ATTESTED", "Platform", "choose_platform", "is_attestation", "local_platform", "parse_platform"]

ATTESTED: Final = "vnd.docker.reference.digest"
"""The annotation by which an attestation in an index names the image that it is about. Source: buildkit."""

_ATTESTATION: Final = "vnd.docker.reference.type"
_WORD: Final = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_SYSTEM: Final = re.compile(r"([A-Za-z0-9_-]{1,64})(?:\(([A-Za-z0-9_.-]{0,64})\))?", re.ASCII)
_SYSTEMS: Final = re.compile(
    "aix|android|darwin|dragonfly|freebsd|hurd|illumos|ios|js|linux|nacl|netbsd|openbsd|plan9|solaris|wasip1|windows|zos"
)
_ARCHITECTURES: Final = re.compile(
    "386|amd64(p32)?|arm(be|64|64be)?|loong64|mips(le|64|64le|64p32|64p32le)?|ppc(64|64le)?|riscv(64)?|s390x?|sparc(64)?"
    "|wasm"
)
_OTHER_NAMES: Final[dict[str, tuple[str, str | None]]] = {  # another name, and the variant that it implies
    "i386": ("386", None),
    "i486": ("386", None),
    "i586": ("386", None),
    "i686": ("386", None),
    "x86": ("386", None),
    "x86_64": ("amd64", None),
    "x86-64": ("amd64", None),
    "aarch64": ("arm64", None),
    "armhf": ("arm", "v7"),
    "armel": ("arm", "v6"),
    "armv5l": ("arm", "v5"),
    "armv5tel": ("arm", "v5"),
    "armv6l": ("arm", "v6"),
    "armv7l": ("arm", "v7"),
    "armv8l": ("arm", "v8"),
    "loongarch64": ("loong64", None),
}
# Go's names say what is usual by nothing; only arm is the other way round.
_UNSAID: Final = {("amd64", "v1"): None, ("arm64", "v8"): None, ("arm", None): "v7"}
_SERVER_2022: Final = 20348  # from this build on, Windows runs the images of earlier builds


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
        """`os/architecture[/variant]`, as `--platform` takes it; Windows is `windows(version)`, where that is known."""
        system = f"{self.os}({self.os_version})" if self.os == "windows" and self.os_version else self.os
        return "/".join(part for part in (system, self.architecture, self.variant) if part)


def parse_platform(text: str | Platform) -> Result[Platform, RegistryError]:
    """A platform as people write it: `os/architecture[/variant]`, one of the two, or "local" for this machine.

    Names that are not Go's are made so, and a variant that goes without saying is left out. Fails with `BadReference`.
    Source: containerd, platforms, "Platform Specifiers".

    >>> print(parse_platform("linux/x86_64").unwrap(), parse_platform("Linux/armhf").unwrap())
    linux/amd64 linux/arm/v7
    >>> print(parse_platform("windows(10.0.20348)/amd64").unwrap())
    windows(10.0.20348)/amd64
    """
    if isinstance(text, Platform):
        return Success(_canonical(text))
    if text == "local":
        return Success(local_platform())
    head, *rest = text.split("/", 3)
    system = _SYSTEM.fullmatch(head)
    if system is None or len(rest) > 2 or any(_WORD.fullmatch(part.replace(".", "")) is None for part in rest):
        return Failure(_refused(text, "a platform is OS/ARCHITECTURE[/VARIANT]"))
    name, version = system.group(1).lower(), system.group(2) or None
    here = local_platform()
    match rest:
        case [architecture, *variant]:
            found = Platform(os=name, os_version=version, architecture=architecture, variant="".join(variant) or None)
        case _ if _SYSTEMS.fullmatch(_system(name)):
            found = here.model_copy(
                update={"os": name, "os_version": version or (here.os_version if name == here.os else None)}
            )
        case _:
            found = Platform(os=here.os, os_version=here.os_version, architecture=name)
            if version is not None or _ARCHITECTURES.fullmatch(_canonical(found).architecture) is None:
                return Failure(_refused(text, "there is no such operating system or architecture"))
    return Success(_canonical(found))


def local_platform() -> Platform:
    """What containers on this machine run on: its architecture, and Linux everywhere but on Windows.

    The micro-architecture of an amd64 processor is not looked at: an image for every such processor is taken.

    >>> local_platform().os in ("linux", "windows")
    True
    """
    windows = machine.system() == "Windows"
    return _canonical(
        Platform(
            os="windows" if windows else "linux",
            os_version=machine.version() if windows else None,
            architecture=machine.machine() or "amd64",
        )
    )


def choose_platform(index: ImageIndex, wanted: Platform) -> Result[Descriptor, NoSuchPlatform]:
    """The entry of an index that a machine of the platform `wanted` takes: the best one, and of equals the first.

    A machine also runs what is older (arm v7: v6, v5; arm64: arm; amd64 v3: v2, v1, 386), never what is newer. An
    index without any platform has a choice only if it has one entry. Attestations are never chosen; the entry may be
    an index again. Fails with `NoSuchPlatform`. Source: containerd, platforms, `Only`; image-spec, image-index.
    """
    entries = tuple(entry for entry in index.manifests if not is_attestation(entry))
    named = tuple((entry, entry.platform) for entry in entries if entry.platform is not None)
    host = _canonical(wanted)
    steps = tuple(_runnable(host.architecture, host.variant))
    ranked = [(rank, entry) for entry, has in named if (rank := _rank(host, steps, _canonical(has))) is not None]
    if ranked:
        return Success(min(ranked, key=lambda each: each[0])[1])
    if not named and len(entries) == 1:
        return Success(entries[0])
    return Failure(NoSuchPlatform(str(wanted), tuple(dict.fromkeys(str(has) for _, has in named))))


def is_attestation(entry: Descriptor) -> bool:
    """Whether an entry of an index is about another one, and no image. Source: buildkit, attestation storage."""
    unknown = entry.platform is not None and (entry.platform.os, entry.platform.architecture) == ("unknown", "unknown")
    return unknown or (entry.annotations is not None and _ATTESTATION in entry.annotations)


_Step: TypeAlias = tuple[str, str | None]


def _rank(host: Platform, steps: tuple[_Step, ...], has: Platform) -> tuple[int, int, tuple[int, ...]] | None:
    """How good a platform is, the least being the best; None if it does not run."""
    features = set(has.os_features or ()) - {"win32k"}  # the rest of Windows: its images ask for it, and it is there
    step = (has.architecture, has.variant)
    if has.os != host.os or step not in steps or not features.issubset(host.os_features or ()):
        return None
    if not _runs_version(host, has):
        return None
    return steps.index(step), -len(features), tuple(-part for part in _numbers(has.os_version)) or (0,)


def _runs_version(host: Platform, has: Platform) -> bool:
    """Windows containers run on their own build; since Server 2022, on later ones too."""
    ours, theirs = _numbers(host.os_version)[:3], _numbers(has.os_version)[:3]
    if host.os != "windows" or len(ours) < 3 or not has.os_version:
        return True
    if len(theirs) < 3 or ours[:2] != theirs[:2]:
        return False
    return ours[2] == theirs[2] if ours[2] < _SERVER_2022 else _SERVER_2022 <= theirs[2] <= ours[2]


def _numbers(version: str | None) -> tuple[int, ...]:
    parts = (version or "").split(".")
    return tuple(int(part) for part in parts) if all(part.isdecimal() and len(part) < 10 for part in parts) else ()


def _runnable(architecture: str, variant: str | None) -> Iterator[_Step]:
    """The architectures and variants that run on a canonical one, the best first."""
    yield architecture, variant
    major, minor = _version(variant)
    match architecture:
        case "amd64":
            yield from (
                ("amd64", _UNSAID.get(("amd64", f"v{level}"), f"v{level}")) for level in range(major - 1, 0, -1)
            )
            yield "386", None
        case "arm":
            yield from (("arm", f"v{level}") for level in range(major - 1, 4, -1))
        case "arm64":
            if major == 9:  # v9.0 has what v8.5 has
                yield from (("arm64", f"v9.{level}" if level else "v9") for level in range(minor - 1, -1, -1))
                minor = min(minor + 5, 9) + 1
            yield from (("arm64", f"v8.{level}" if level else None) for level in range(minor - 1, -1, -1))
            yield from (("arm", f"v{level}") for level in range(8, 4, -1))
        case _:
            return


def _version(variant: str | None) -> tuple[int, int]:
    """The numbers of a variant `vMAJOR[.MINOR]`; zeros if it is none, so that nothing is below it."""
    found = re.fullmatch(r"v([1-9])(?:\.([0-9]))?", variant or "", re.ASCII)
    return (0, 0) if found is None else (int(found.group(1)), int(found.group(2) or 0))


def _canonical(given: Platform) -> Platform:
    """The same platform in Go's names, without a variant that goes without saying."""
    name = given.architecture.lower()
    architecture, implied = _OTHER_NAMES.get(name, (name, None))
    said = (given.variant or "").lower()
    variant: str | None = implied or (f"v{said}" if said[:1].isdigit() else said) or None
    if variant is not None and architecture in {"arm", "arm64", "amd64"}:
        variant = variant.removesuffix(".0")
    if architecture == "386":
        variant = None
    variant = _UNSAID.get((architecture, variant), variant)
    return given.model_copy(update={"os": _system(given.os), "architecture": architecture, "variant": variant})


def _system(name: str) -> str:
    lower = name.lower()
    return "darwin" if lower == "macos" else lower


def _refused(text: str, why: str) -> RegistryError:
    return RegistryError("parse_platform", text[:256], BadReference(text[:256], f"{why}, for example linux/arm64"))
