"""The matrix: files and programs, and who is found in them by us, by Docker, and by podman's library.

`HOST` stands for a registry's host and port. Where the tools do not agree with one another, or with us, it says so.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

__all__ = ["CASES", "HUB_CASES", "SAME", "Broken", "Case", "Told"]

Told = tuple[str, ...] | None


@dataclass(frozen=True)
class Broken:
    """Nobody is found, and the reason names this setting."""

    setting: str


SAME: Final[tuple[str, ...]] = ("the same",)


@dataclass(frozen=True)
class Case:
    """Files by place, what a credential program keeps, the repository, and who is found."""

    name: str
    files: Mapping[str, Any]
    ours: Told | Broken
    docker: Told = SAME
    podman: Told = SAME
    kept: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    path: str = "team/app"

    @property
    def told(self) -> Told:
        """Whom a registry hears of from us."""
        return None if isinstance(self.ours, Broken) else self.ours


def _auth(text: str) -> dict[str, str]:
    return {"auth": base64.b64encode(text.encode()).decode()}


def _docker(key: str, entry: Any) -> dict[str, Any]:
    return {"docker": {"auths": {key: entry}}}


_ADA: Final = ("basic", "ada", "s3cret")
_BOB: Final = ("basic", "bob", "other")
_A: Final = _auth("ada:s3cret")
_B: Final = _auth("bob:other")
_TOKEN: Final = ("identity", "r3fresh")
_KEPT: Final = {"HOST": ("ada", "s3cret")}
_BASE: Final = "auth file"

CASES: Final[tuple[Case, ...]] = (
    # how a host is spelled
    Case("the host", _docker("HOST", _A), _ADA),
    Case("https before it", _docker("https://HOST", _A), _ADA),
    Case("http before it", _docker("http://HOST", _A), _ADA),
    Case("https, and a slash behind it", _docker("https://HOST/", _A), _ADA),
    Case("the first protocol", _docker("https://HOST/v1/", _A), _ADA),
    Case("the second protocol", _docker("https://HOST/v2/", _A), _ADA),
    Case("a slash behind it", _docker("HOST/", _A), _ADA, podman=None),
    Case("the first protocol without a scheme", _docker("HOST/v1/", _A), _ADA, podman=None),
    Case("the host without its port", _docker("127.0.0.1", _A), None),
    Case("a longer port", _docker("HOST0", _A), None),
    Case("a longer name", _docker("HOST.example.com", _A), None),
    Case("a name that ends like it", _docker("x.HOST", _A), None),
    Case("a user before it", _docker("ada@HOST", _A), None),
    Case("the host before one of its spellings", {"docker": {"auths": {"https://HOST/v1/": _B, "HOST": _A}}}, _ADA),
    Case("another host", _docker("ghcr.io", _A), None),
    # what stands in an entry
    Case("a password with colons", _docker("HOST", _auth("ada:s3:cr:et")), ("basic", "ada", "s3:cr:et")),
    Case("a password in UTF-8", _docker("HOST", _auth("adä:s€cret")), ("basic", "adä", "s€cret")),
    Case("NULs behind the password", _docker("HOST", _auth("ada:s3cret\0\0")), _ADA),
    Case("base64 over two lines", _docker("HOST", {"auth": _A["auth"][:5] + "\n" + _A["auth"][5:]}), _ADA),
    Case("base64 without its padding", _docker("HOST", {"auth": _A["auth"].rstrip("=")}), Broken(_BASE)),
    Case("base64 for URLs", _docker("HOST", {"auth": "YWRhOj8_Pz8_"}), Broken(_BASE)),
    Case("no base64", _docker("HOST", {"auth": "ada:s3cret"}), Broken(_BASE)),
    Case("no colon", _docker("HOST", _auth("adas3cret")), Broken(_BASE)),
    Case("an empty entry", _docker("HOST", {}), None),
    Case("an entry that is null", _docker("HOST", None), None),
    Case("an entry that is a list", _docker("HOST", [1]), Broken(_BASE)),
    Case("a password that is a number", _docker("HOST", {"username": "ada", "password": 1}), Broken(_BASE)),
    Case("a user and a password", _docker("HOST", {"username": "ada", "password": "s3cret"}), _ADA, podman=None),
    Case("auth against user and password", _docker("HOST", {**_A, "username": "bob", "password": "other"}), _ADA),
    Case("an identity token", _docker("HOST", {**_auth("ada:"), "identitytoken": "r3fresh"}), _TOKEN),
    Case("an identity token alone", _docker("HOST", {"identitytoken": "r3fresh"}), _TOKEN, podman=None),
    Case("an identity token before a password", _docker("HOST", {**_A, "identitytoken": "r3fresh"}), _TOKEN),
    Case("a registry token", _docker("HOST", {"registrytoken": "b34rer"}), ("bearer", "b34rer"), podman=None),
    Case("a registry token that is two headers", _docker("HOST", {"registrytoken": "x\r\nX: y"}), Broken(_BASE)),
    Case("other letters in the names", {"docker": {"Auths": {"HOST": {"Auth": _A["auth"]}}}}, _ADA),
    Case("what is for other programs", {"docker": {"auths": {"HOST": {**_A, "email": "a@b"}}, "psFormat": "x"}}, _ADA),
    # a repository's own
    Case("the repository", _docker("HOST/team/app", _A), _ADA),
    Case("a part of its path", _docker("HOST/team", _A), _ADA),
    Case(
        "the longest of them",
        {"docker": {"auths": {"HOST": _B, "HOST/team/app": _A, "HOST/team": _B}}},
        _ADA,
        docker=_BOB,
    ),
    Case("another repository", _docker("HOST/team/other", _A), None, docker=_ADA),
    Case("half a word of the path", _docker("HOST/tea", _A), None, docker=_ADA),
    Case("a longer path", _docker("HOST/team/app/more", _A), None, docker=_ADA),
    Case("an empty entry for the repository", {"docker": {"auths": {"HOST": _A, "HOST/team": {}}}}, None, docker=_ADA),
    # programs
    Case("a program for the host", {"docker": {"credHelpers": {"HOST": "shelf"}}}, _ADA, kept=_KEPT),
    Case("a program for all", {"docker": {"credsStore": "shelf"}}, _ADA, podman=None, kept=_KEPT),
    Case(
        "with the mark that it is there",
        {"docker": {"auths": {"HOST": {}}, "credsStore": "shelf"}},
        _ADA,
        podman=None,
        kept=_KEPT,
    ),
    Case(
        "a program before the file",
        {"docker": {"auths": {"HOST": _B}, "credHelpers": {"HOST": "shelf"}}},
        _ADA,
        kept=_KEPT,
    ),
    Case(
        "a program for all before the file",
        {"docker": {"auths": {"HOST": _B}, "credsStore": "shelf"}},
        _ADA,
        podman=_BOB,
        kept=_KEPT,
    ),
    Case(
        "a program for all that knows nothing",
        {"docker": {"auths": {"HOST": _B}, "credsStore": "shelf"}},
        _BOB,
        docker=None,
    ),
    Case(
        "a program for the host that knows nothing",
        {"docker": {"auths": {"HOST": _B}, "credHelpers": {"HOST": "shelf"}}},
        None,
    ),
    Case(
        "a program for the host before that for all",
        {"docker": {"credsStore": "none", "credHelpers": {"HOST": "shelf"}}},
        _ADA,
        kept=_KEPT,
    ),
    Case(
        "no program for this host",
        {"docker": {"auths": {"HOST": _A}, "credsStore": "none", "credHelpers": {"HOST": ""}}},
        _ADA,
        podman=None,
    ),
    Case("a program for another host", {"docker": {"credHelpers": {"ghcr.io": "shelf"}}}, None, kept=_KEPT),
    Case(
        "a program with an identity token",
        {"docker": {"credHelpers": {"HOST": "shelf"}}},
        _TOKEN,
        kept={"HOST": ("<token>", "r3fresh")},
    ),
    Case(
        "a program that is not there", {"docker": {"credHelpers": {"HOST": "none"}}}, Broken("docker-credential-none")
    ),
    Case(
        "a program that is not there, for all",
        {"docker": {"auths": {"HOST": _A}, "credsStore": "none"}},
        _ADA,
    ),
    Case(
        "a program that is not there, for the host, and an entry",
        {"docker": {"auths": {"HOST": _A}, "credHelpers": {"HOST": "none"}}},
        _ADA,
        podman=None,
    ),
    Case(
        "a program that is not there, and the mark",
        {"docker": {"auths": {"HOST": {}}, "credsStore": "none"}},
        Broken("docker-credential-none"),
    ),
    Case(
        "a program that is a path",
        {"docker": {"credHelpers": {"HOST": "../bin/docker-credential-shelf"}}},
        Broken("docker-credential-../bin"),
    ),
    # which file
    Case("podman's file", {"runtime": {"auths": {"HOST": _A}}}, _ADA, docker=None),
    Case("the user's own of podman", {"config": {"auths": {"HOST": _A}}}, _ADA, docker=None),
    Case(
        "the file that is named",
        {"named": {"auths": {"HOST": _A}}, "runtime": {"auths": {"HOST": _B}}},
        _ADA,
        docker=None,
    ),
    Case(
        "podman's before Docker's",
        {"runtime": {"auths": {"HOST": _A}}, "docker": {"auths": {"HOST": _B}}},
        _ADA,
        docker=_BOB,
    ),
    Case(
        "the second, where the first knows nothing",
        {"runtime": {"auths": {"ghcr.io": _B}}, "docker": {"auths": {"HOST": _A}}},
        _ADA,
    ),
    Case("the second, where the first is empty", {"runtime": {}, "docker": {"auths": {"HOST": _A}}}, _ADA),
    Case(
        "a broken one behind the one that knows", {"runtime": {"auths": {"HOST": _A}}, "docker": "{"}, _ADA, docker=None
    ),
    Case("a broken one before it", {"runtime": "{", "docker": {"auths": {"HOST": _A}}}, Broken(_BASE), docker=_ADA),
    Case("no JSON", {"docker": "auths: ada"}, Broken(_BASE)),
    Case("JSON of another kind", {"docker": [1]}, Broken(_BASE)),
    Case("sections of another kind", {"docker": {"auths": [1]}}, Broken(_BASE)),
    Case("sections that are null", {"docker": {"auths": None, "credHelpers": None, "credsStore": None}}, None),
    Case("no bytes", {"docker": ""}, None),
)
"""Every case that a registry on this machine can be asked in."""

_HUB = "https://index.docker.io/v1/"

HUB_CASES: Final[tuple[Case, ...]] = (
    Case("as Docker writes it", _docker(_HUB, _A), _ADA),
    Case("as podman writes it", {"runtime": {"auths": {"docker.io": _A}}}, _ADA),
    Case("by the name of the index", _docker("index.docker.io", _A), _ADA),
    Case("by the name of the registry", _docker("https://registry-1.docker.io/v2/", _A), _ADA),
    Case("one repository", _docker("docker.io/library/nginx", _A), _ADA),
    Case("one organisation", _docker("docker.io/library", _A), _ADA),
    Case("Docker's program", {"docker": {"credsStore": "shelf"}}, _ADA, podman=None, kept={_HUB: ("ada", "s3cret")}),
    Case(
        "podman's program",
        {"runtime": {"credHelpers": {"docker.io": "shelf"}}},
        _ADA,
        kept={"docker.io": ("ada", "s3cret")},
    ),
    Case("a name that ends like it", _docker("evil-docker.io", _A), None),
    Case("a name that begins like it", _docker("docker.io.evil.example", _A), None),
)
"""Docker Hub has many names. What Docker tells it cannot be watched here, so podman's library alone is the witness."""
