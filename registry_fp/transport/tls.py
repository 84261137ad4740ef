"""TLS: whom we trust and what we show, for each host, and the contexts of OpenSSL that say so.

The system's authorities are always trusted, and those of `ca` and of `certs.d` beside them. What is chosen for a host
is for that host alone: neither the token server that it names nor the storage that it redirects to has a part in it.
"""

from __future__ import annotations

import asyncio
import os
import ssl
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, final

from returns.pipeline import is_successful
from returns.result import Failure, Result, Success
from yarl import URL

from registry_fp.domain.errors import Misconfigured, RegistryError
from registry_fp.protocol.message import Request, Security
from registry_fp.transport.auth_files import Surroundings
from registry_fp.transport.certs_directory import HostCertificates, certs_folders, read_certs_directory
from registry_fp.transport.host_name import host_names
from registry_fp.transport.host_settings import TlsVersion
from registry_fp.transport.settings import Settings
from registry_fp.transport.tls_fault import without_certificate

__all__ = ["Tls", "TlsContexts", "security_of"]

_FILE_LIMIT: Final = 4 * 1024 * 1024
_NAME_LIMIT: Final = 100
_HOSTS_LIMIT: Final = 1024  # a registry can redirect to as many hosts as it likes
_READ: Final = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY  # so that nothing waits for a pipe's writer
_VERSIONS: Final[Mapping[TlsVersion, ssl.TLSVersion]] = {
    "1.2": ssl.TLSVersion.TLSv1_2,
    "1.3": ssl.TLSVersion.TLSv1_3,
}


@final
@dataclass(frozen=True, slots=True)
class Tls:
    """How TLS is spoken to one host; `context` is True where that does not arise."""

    context: ssl.SSLContext | bool
    shows_certificate: bool

    def told(self, error: RegistryError) -> RegistryError:
        """An error that came of speaking it, in the light of what we showed."""
        return error if self.shows_certificate else without_certificate(error)


@final
@dataclass(frozen=True, slots=True)
class _File:
    """A file of ours, and the setting that names it."""

    setting: str
    path: Path


@final
@dataclass(frozen=True, slots=True)
class _Wanted:
    """What a context is made of; hosts that want the same share one."""

    authorities: tuple[_File, ...]
    pairs: tuple[tuple[_File, _File | None], ...]
    is_verified: bool
    min_tls: TlsVersion


@final
class TlsContexts:
    """The contexts of one client, each made once, off the loop: a file that changes later is not read again."""

    __slots__ = ("_folders", "_known", "_lock", "_made", "_settings")

    def __init__(self, settings: Settings, around: Surroundings | None = None) -> None:
        chosen = settings.certs_dirs
        self._folders = certs_folders(around or Surroundings.of(None, None)) if chosen is None else chosen
        self._settings = settings
        self._known: dict[tuple[URL, bool], Tls] = {}
        self._made: dict[_Wanted, Tls] = {}
        self._lock = asyncio.Lock()

    async def tls_for(self, request: Request) -> Result[Tls, Misconfigured]:
        """How TLS is spoken where a request goes.

        The certificate of `Settings.cert` is not shown where a redirect led; one that was chosen for that very host is.
        Fails with `Misconfigured`, which names the setting and the file.
        """
        if request.url.scheme != "https":
            return Success(_NONE)
        key = (request.url.origin(), request.stray)
        async with self._lock:
            known = self._known.get(key)
            if known is not None:
                return Success(known)
            found = await asyncio.to_thread(self._found, *key)
            if is_successful(found):
                if len(self._known) >= _HOSTS_LIMIT:
                    self._known.clear()
                self._known[key] = found.unwrap()
            return found

    def _found(self, origin: URL, stray: bool) -> Result[Tls, Misconfigured]:
        return read_certs_directory(self._folders, _folder_names(origin)).bind(
            lambda files: _wanted(self._settings, origin, files, stray=stray).bind(self._context)
        )

    def _context(self, wanted: _Wanted) -> Result[Tls, Misconfigured]:
        made = self._made.get(wanted)
        if made is not None:
            return Success(made)
        out = _made(wanted).map(lambda context: Tls(context, bool(wanted.pairs)))
        if is_successful(out):
            self._made[wanted] = out.unwrap()
        return out


_NONE: Final = Tls(context=True, shows_certificate=False)


def _folder_names(origin: URL) -> tuple[str, ...]:
    """What the folder of a host may be called: Docker Hub's, too, by the name that it has there."""
    return tuple(dict.fromkeys((*host_names(origin), (origin.host_port_subcomponent or "").lower())))


def _wanted(settings: Settings, origin: URL, files: HostCertificates, *, stray: bool) -> Result[_Wanted, Misconfigured]:
    host = settings.at(origin)
    place = f"hosts.{settings.name_of(origin)}."
    ca = _file(f"{place}ca", host.ca) or _file("ca", settings.ca)
    authorities = (*(() if ca is None else (ca,)), *(_File("certs_dirs", path) for path in files.authorities))
    in_folder = tuple((_File("certs_dirs", cert), _File("certs_dirs", key)) for cert, key in files.certificates)
    if host.cert is not None or host.key is not None:
        chosen = _pair(place, host.cert, host.key)
    elif (settings.cert is not None or settings.key is not None) and not stray:
        chosen = _pair("", settings.cert, settings.key)
    else:
        return Success(_Wanted(authorities, in_folder, not host.insecure, host.min_tls or settings.min_tls))
    return chosen.map(lambda pair: _Wanted(authorities, (pair,), not host.insecure, host.min_tls or settings.min_tls))


def _pair(place: str, cert: Path | None, key: Path | None) -> Result[tuple[_File, _File | None], Misconfigured]:
    if cert is None:
        return Failure(Misconfigured(f"{place}key", f"{key}: a key without a certificate (`cert`)"))
    return Success((_File(f"{place}cert", cert), _file(f"{place}key", key)))


def _file(setting: str, path: Path | None) -> _File | None:
    return None if path is None else _File(setting, path)


def _made(wanted: _Wanted) -> Result[ssl.SSLContext, Misconfigured]:
    context = ssl.create_default_context()
    # As Go's programs have it, which is what private authorities are made for: an intermediate one can be trusted by
    # itself, and what RFC 5280 asks of an authority's extensions is not insisted on (Python does from 3.13 on).
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    context.minimum_version = _VERSIONS[wanted.min_tls]
    context.set_alpn_protocols(["http/1.1"])
    if not wanted.is_verified:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    for file in wanted.authorities:
        trusted = _trusted(context, file)
        if not is_successful(trusted):
            return Failure(trusted.failure())
    for cert, key in reversed(wanted.pairs):  # of keys of one kind the last one counts, and Docker shows the first
        shown = _shown(context, cert, key)
        if not is_successful(shown):
            return Failure(shown.failure())
    return Success(context)


def _trusted(context: ssl.SSLContext, file: _File) -> Result[None, Misconfigured]:
    read = _read(file)
    if not is_successful(read):
        return Failure(read.failure())
    try:
        # People write names above the certificates, in any alphabet.
        context.load_verify_locations(cadata=read.unwrap().decode("ascii", "ignore"))
    except (ssl.SSLError, ValueError):
        return _unusable(file, "no certificates in PEM are in it")
    return Success(None)


def _shown(context: ssl.SSLContext, cert: _File, key: _File | None) -> Result[None, Misconfigured]:
    for file in (cert,) if key is None else (cert, key):
        read = _read(file)
        if not is_successful(read):
            return Failure(read.failure())
    holder = key or cert
    asked: list[bool] = []

    def password() -> str:  # without it OpenSSL asks at the terminal
        asked.append(True)
        return ""

    try:
        context.load_cert_chain(cert.path, None if key is None else key.path, password)
    except OSError as error:  # SSLError is one
        if asked:
            return _unusable(holder, "the key is encrypted, which is not supported")
        if getattr(error, "reason", None) == "KEY_VALUES_MISMATCH":
            return _unusable(holder, f"the key is not that of {cert.path}")
        place = "it" if key is None else f"it and {key.path}"
        return _unusable(cert, f"no certificate with its key, in PEM, is in {place}")
    return Success(None)


def _read(file: _File) -> Result[bytes, Misconfigured]:
    try:
        number = os.open(file.path, _READ)
        try:
            if not stat.S_ISREG(os.fstat(number).st_mode):
                return _unusable(file, "it is no file")
            with os.fdopen(number, "rb", closefd=False) as opened:
                content = opened.read(_FILE_LIMIT + 1)
        finally:
            os.close(number)
    except OSError as error:
        return _unusable(file, (error.strerror or "it cannot be read").lower())
    except ValueError:
        return _unusable(file, "it is no path")
    return Success(content) if len(content) <= _FILE_LIMIT else _unusable(file, f"more than {_FILE_LIMIT} bytes")


def _unusable(file: _File, why: str) -> Failure[Misconfigured]:
    return Failure(Misconfigured(file.setting, f"{file.path}: {why}"))


def security_of(tls: ssl.SSLObject | None) -> Security | None:
    """What is known of the TLS of a connection; None where there is none.

    Of a certificate that nobody checked nothing is said.
    """
    if tls is None:
        return None
    certificate: Mapping[str, Any] = tls.getpeercert() or {}
    names = {name: text for pairs in certificate.get("issuer", ()) for name, text in pairs}
    authority = names.get("organizationName") or names.get("commonName")
    until = certificate.get("notAfter")
    return Security(
        (tls.version() or "TLS").replace("TLSv", "TLS "),
        None if authority is None else str(authority)[:_NAME_LIMIT],
        float(ssl.cert_time_to_seconds(str(until))) if until else None,
    )
