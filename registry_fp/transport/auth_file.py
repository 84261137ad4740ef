"""An auth file: what Docker's `config.json` and podman's `auth.json` say about a registry. Pure: nothing is read here.

    {"auths":       {"ghcr.io": {"auth": base64(user:password)}, "quay.io/team": {...}},
     "credHelpers": {"ghcr.io": "pass"},        ask the program `docker-credential-pass` about this host
     "credsStore":  "secretservice"}            ask this one about every other

A host is compared as a whole, and never as the beginning of another one. Sources: containers-auth.json(5); docker/cli,
`cli/config/configfile`.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, final

from pydantic import SecretStr
from returns.pipeline import is_successful
from returns.result import Failure, Result, Success

from registry_fp.domain.errors import Misconfigured
from registry_fp.domain.reference import DOCKER_HUB, canonical_host
from registry_fp.transport.account import BasicCredentials, Credentials, IdentityToken, RegistryToken

__all__ = [
    "HUB_KEY",
    "AuthFile",
    "NamedProgram",
    "account_in",
    "is_mentioned",
    "parse_auth_file",
    "program_in",
    "render_auth_file",
    "split_asked",
    "with_account",
    "without_account",
]

HUB_KEY: Final = "https://index.docker.io/v1/"
"""What Docker Hub is called in these files, for the sake of a protocol that is gone."""

_SCHEMES: Final = frozenset({"http", "https"})
_API_PATHS: Final = frozenset({"v1/", "v2/"})  # of a host, as Docker's first versions wrote it, and no repository
_FIELDS: Final = ("auth", "username", "password", "identitytoken", "registrytoken")


@final
@dataclass(frozen=True, slots=True)
class AuthFile:
    """One such document; `where` names it in errors, and what is in it shows itself nowhere.

    `is_exposed` if other users of the machine can read it.
    """

    where: str
    document: Mapping[str, Any] = field(default_factory=dict, repr=False)
    is_exposed: bool = False


@final
@dataclass(frozen=True, slots=True)
class NamedProgram:
    """A credential program, the name under which it knows the registry, and whether it is for this host alone."""

    name: str
    server: str
    is_for_host: bool


def split_asked(asked: str) -> tuple[str, str]:
    """The host and the path that a keychain is asked about.

    >>> split_asked("Index.docker.io/library/nginx")
    ('docker.io', 'library/nginx')
    """
    host, _, path = asked.partition("/")
    return canonical_host(host).removesuffix(":443"), path.strip("/")


def parse_auth_file(where: str, raw: bytes) -> Result[AuthFile, Misconfigured]:
    """The document in these bytes; no bytes are an empty one. Fails with `Misconfigured`, and quotes nothing of it.

    >>> parse_auth_file("auth file x", b'["s3cret"]').failure().why
    'it is not a JSON object'
    """
    if not raw.strip():
        return Success(AuthFile(where))
    try:
        document = json.loads(raw.decode("utf-8"))
    except json.JSONDecodeError as error:
        return Failure(Misconfigured(where, f"it is not JSON: line {error.lineno}, column {error.colno}"))
    except (ValueError, RecursionError):
        return Failure(Misconfigured(where, "it is not JSON"))
    if not isinstance(document, dict):
        return Failure(Misconfigured(where, "it is not a JSON object"))
    return Success(AuthFile(where, document))


def program_in(file: AuthFile, host: str) -> Result[NamedProgram | None, Misconfigured]:
    """The credential program to ask about a host: its own, or the one for all. Fails with `Misconfigured`."""
    return _section(file, "credHelpers").bind(lambda own: _program(file, own, host))


def account_in(file: AuthFile, host: str, path: str) -> Result[Credentials | None, Misconfigured]:
    """What stands under the longest key for this repository: a part of its path, or the host.

    An entry with nothing in it says that there is none. Fails with `Misconfigured` if this entry cannot be read.
    """
    return _section(file, "auths").bind(lambda auths: _account(file, auths, host, path))


def is_mentioned(file: AuthFile, host: str) -> bool:
    """Whether the file says something about this very host, were it only which program to ask."""
    auths, programs = _section(file, "auths").value_or({}), _section(file, "credHelpers").value_or({})
    return any(_keys(auths, host, "")) or not {host, _server(host)}.isdisjoint(programs)


def with_account(file: AuthFile, host: str, known: BasicCredentials | None) -> Result[AuthFile, Misconfigured]:
    """The file with this entry for a host in the place of every other; None is the mark that a program keeps it."""

    def entry() -> dict[str, str]:
        if known is None:
            return {}
        pair = f"{known.username}:{known.password.get_secret_value()}".encode(errors="surrogatepass")
        return {"auth": base64.b64encode(pair).decode("ascii")}

    def changed(auths: Mapping[str, Any]) -> AuthFile:
        old = list(_keys(auths, host, ""))
        kept = {name: auths[name] for name in auths if name not in old[1:]}
        renamed = {_server(host) if name in old[:1] else name: value for name, value in kept.items()}
        return _with_section(file, "auths", {**renamed, _server(host): entry()})

    return _section(file, "auths").map(changed)


def without_account(file: AuthFile, host: str) -> Result[AuthFile, Misconfigured]:
    """The file without any entry for this host; what is for single repositories stays."""

    def changed(auths: Mapping[str, Any]) -> AuthFile:
        old = set(_keys(auths, host, ""))
        return _with_section(file, "auths", {name: auths[name] for name in auths if name not in old})

    return _section(file, "auths").map(changed)


def render_auth_file(file: AuthFile) -> bytes:
    """The document as Docker and podman write it: everything in its order, with tabs."""
    return json.dumps(file.document, indent="\t", ensure_ascii=False).encode("utf-8", "backslashreplace")


def _program(file: AuthFile, own: Mapping[str, Any], host: str) -> Result[NamedProgram | None, Misconfigured]:
    for key in dict.fromkeys((_server(host), host)):
        if key in own:
            name = own[key]
            if not isinstance(name, str):
                return Failure(Misconfigured(file.where, f"credHelpers {_shown(key)} is not text"))
            return Success(NamedProgram(name, key, is_for_host=True) if name else None)
    name = _field(file.document, "credsStore")
    if not isinstance(name, str | None):
        return Failure(Misconfigured(file.where, "credsStore is not text"))
    return Success(NamedProgram(name, _server(host), is_for_host=False) if name else None)


def _account(
    file: AuthFile, auths: Mapping[str, Any], host: str, path: str
) -> Result[Credentials | None, Misconfigured]:
    for place in _places(path):
        keys = list(_keys(auths, host, place))
        if keys:
            return _decoded(f"auths {_shown(keys[0])}", file, auths[keys[0]])
    return Success(None)


def _places(path: str) -> Iterator[str]:
    while path:
        yield path
        path = path.rpartition("/")[0]
    yield ""


def _keys(auths: Mapping[str, Any], host: str, path: str) -> Iterator[str]:
    """The keys that mean this place, what Docker writes first."""
    meant = [key for key in auths if _means(key, host, path)]
    yield from sorted(meant, key=lambda key: (key != (_server(host) if not path else f"{host}/{path}"), key != host))


def _means(key: str, host: str, path: str) -> bool:
    scheme, mark, rest = key.partition("://")
    if mark:
        if scheme.lower() not in _SCHEMES:
            return False
        named, place = rest.partition("/")[0], ""
    else:
        named, _, place = key.partition("/")
        place = "" if place in _API_PATHS else place.removesuffix("/")
    known = canonical_host(named).removesuffix(":443")
    # A key without a port is for the host on its usual port, also where that speaks no TLS by the user's own choice.
    plain = scheme.lower() != "https" or not mark
    return place == path and (known == host or (plain and ":" not in named and f"{known}:80" == host))


def _server(host: str) -> str:
    return HUB_KEY if host == DOCKER_HUB else host


def _decoded(key: str, file: AuthFile, entry: Any) -> Result[Credentials | None, Misconfigured]:
    if entry is None:
        return Success(None)
    if not isinstance(entry, dict):
        return Failure(Misconfigured(file.where, f"{key} is not an object"))
    told = {name: _field(entry, name) or "" for name in _FIELDS}
    for name, text in told.items():
        if not isinstance(text, str):
            return Failure(Misconfigured(file.where, f"{key}: {name} is not text"))
        if name != "auth" and not _is_sendable(text):
            return Failure(Misconfigured(file.where, f"{key}: {name} has a control character"))
    pair = Success((told["username"], told["password"])) if not told["auth"] else _pair(told["auth"])
    if not is_successful(pair):
        return Failure(Misconfigured(file.where, f"{key}: {pair.failure()}"))
    username, password = pair.unwrap()
    if told["registrytoken"]:
        return Success(RegistryToken(SecretStr(told["registrytoken"])))
    if told["identitytoken"]:
        token = SecretStr(told["identitytoken"])
        return Success(IdentityToken(token, username) if username else IdentityToken(token))
    if not username:
        return Failure(Misconfigured(file.where, f"{key}: it has no user name")) if password else Success(None)
    return Success(BasicCredentials(username, SecretStr(password)))


def _pair(auth: str) -> Result[tuple[str, str], str]:
    """The user and the password in an `auth`, as Docker reads it: padded base64, perhaps with NULs at the end."""
    try:
        text = base64.b64decode(auth.replace("\r", "").replace("\n", ""), validate=True).decode("utf-8")
    except UnicodeDecodeError:
        return Failure("auth is not UTF-8")
    except (binascii.Error, ValueError):
        return Failure("auth is not base64")
    username, colon, password = text.partition(":")
    password = password.strip("\0")
    if not colon or not username:
        return Failure("auth is not the base64 of USER:PASSWORD")
    if not _is_sendable(username) or not _is_sendable(password):
        return Failure("auth has a control character, perhaps the end of a line")
    return Success((username, password))


def _is_sendable(text: str) -> bool:
    return not any(character < " " or character == "\x7f" for character in text)


def _section(file: AuthFile, name: str) -> Result[Mapping[str, Any], Misconfigured]:
    section = _field(file.document, name)
    if not isinstance(section, dict | None):
        return Failure(Misconfigured(file.where, f"{name} is not an object"))
    return Success(section or {})


def _with_section(file: AuthFile, name: str, section: Mapping[str, Any]) -> AuthFile:
    return replace(file, document={**file.document, _spelled(file.document, name): section})


def _field(document: Mapping[str, Any], name: str) -> Any:
    return document.get(_spelled(document, name))


def _spelled(document: Mapping[str, Any], name: str) -> str:
    """How the name is written here: Go's reader, which all of these tools have, does not look at its case."""
    alike = (key for key in document if key.lower() == name.lower())
    return name if name in document else next(alike, name)


def _shown(key: str) -> str:
    return ascii(key[:100])
