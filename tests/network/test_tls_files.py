"""Files of certificates: each made into a context once, and named where it cannot be used."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from yarl import URL

from registry_fp import Err, HostSettings, Misconfigured, Settings, connect, ping, settle
from registry_fp.protocol.message import Request
from registry_fp.transport.tls import TlsContexts
from tests.real.certificates import Authority


async def test_hosts_that_want_the_same_share_a_context(tmp_path: Path) -> None:
    """Loading the system's authorities takes ten milliseconds and some megabytes: once, and not for each host."""
    contexts = TlsContexts(Settings(certs_dirs=(tmp_path,), insecure=frozenset({"c.example"})))

    async def context(host: str) -> object:
        return (await contexts.tls_for(Request("ping", host, "GET", URL(f"https://{host}/v2/")))).unwrap().context

    one, same, other = [await context(host) for host in ("a.example", "b.example:5000", "c.example")]
    assert one is same
    assert one is not other
    assert (await contexts.tls_for(Request("ping", "a", "GET", URL("http://a.example/")))).unwrap().context is True


BROKEN = {
    "no ca": ("ca", {"ca": "missing.pem"}, "missing.pem: no such file or directory"),
    "a folder as ca": ("ca", {"ca": "."}, ".: it is no file"),
    "a ca without certificates": ("ca", {"ca": "empty.pem"}, "empty.pem: no certificates in PEM are in it"),
    "a key as ca": ("ca", {"ca": "mine.key"}, "mine.key: no certificates in PEM are in it"),
    "no cert": ("cert", {"cert": "missing.pem", "key": "mine.key"}, "missing.pem: no such file or directory"),
    "no key": ("key", {"cert": "mine.cert", "key": "missing.pem"}, "missing.pem: no such file or directory"),
    "a key alone": ("key", {"key": "mine.key"}, "mine.key: a key without a certificate (`cert`)"),
    "a cert without its key": (
        "cert",
        {"cert": "mine.cert"},
        "mine.cert: no certificate with its key, in PEM, is in it",
    ),
    "an empty key": (
        "cert",
        {"cert": "mine.cert", "key": "empty.pem"},
        "mine.cert: no certificate with its key, in PEM, is in it and {}/empty.pem",
    ),
    "another key": ("key", {"cert": "mine.cert", "key": "other.key"}, "other.key: the key is not that of {}/mine.cert"),
    "an encrypted key": (
        "key",
        {"cert": "mine.cert", "key": "locked.key"},
        "locked.key: the key is encrypted, which is not supported",
    ),
    "a pipe as ca": ("ca", {"ca": "pipe"}, "pipe: it is no file"),
}
"""What is wrong, the setting that is to blame, what is chosen, and what is said."""


@pytest.mark.parametrize("everywhere", [True, False])
@pytest.mark.parametrize("fault", BROKEN)
async def test_a_file_that_cannot_be_used_is_named_before_anything_is_sent(
    fault: str, everywhere: bool, tmp_path: Path
) -> None:
    """A wrong path must not end in an exception of OpenSSL without a name, nor in a question at the terminal."""
    ours = Authority(tmp_path)
    ours.issue("mine", "ci@example.org")
    ours.issue("other", "ci@example.org")
    (tmp_path / "empty.pem").write_text("nothing\n", encoding="utf-8")
    (tmp_path / "locked.key").write_text(LOCKED, encoding="ascii")
    os.mkfifo(tmp_path / "pipe")
    setting, chosen, said = BROKEN[fault]
    files = {name: tmp_path / file for name, file in chosen.items()}
    host = "127.0.0.1:1"  # where nobody listens: whoever connects there says so
    if everywhere:
        settings, named = Settings(hosts={host: HostSettings(min_tls="1.2")}, cache=False), setting
        settings = settings.model_copy(update=files)
    else:
        settings, named = (
            Settings(hosts={host: HostSettings.model_validate(files)}, cache=False),
            f"hosts.{host}.{setting}",
        )
    async with connect(settings) as client:
        out = await settle(ping(client, host))
    assert isinstance(out, Err)
    path = tmp_path if said.startswith(".:") else f"{tmp_path}/"
    assert out.error.reason == Misconfigured(named, f"{path}{said.format(tmp_path).removeprefix('.')}")


async def test_a_broken_folder_of_certificates_is_named(tmp_path: Path) -> None:
    """The folder is read for each host, and what is wrong with one host's is no matter of another's."""
    (tmp_path / "a.example").mkdir()
    (tmp_path / "a.example" / "ca.crt").write_text("nothing", encoding="utf-8")
    contexts = TlsContexts(Settings(certs_dirs=(tmp_path,)))
    broken = await contexts.tls_for(Request("ping", "a", "GET", URL("https://a.example:443/v2/")))
    assert broken.failure() == Misconfigured(
        "certs_dirs", f"{tmp_path}/a.example/ca.crt: no certificates in PEM are in it"
    )
    other = await contexts.tls_for(Request("ping", "b", "GET", URL("https://b.example/v2/")))
    assert not other.unwrap().shows_certificate


LOCKED = """\
-----BEGIN ENCRYPTED PRIVATE KEY-----
MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAiyi59GzqlQAgICCAAw
DAYIKoZIhvcNAgkFADAdBglghkgBZQMEAQIEEEjDlS991oJwTBA/PRXmV/cEgZDU
uI/rSLOaUO+R0KCOSOAHx+A86fgOpFmTgdRl/rNQ0G8JzvcJvBRsGO1PhVAK/WrX
KG4EWwaJ1erzxuUsJGoHIE7Nikknpv92r+aUThu9AnBezVJJiADzPtwxQKdOQn4l
Y19vTLxf8LYyvTDfFrrZcGHIRZhQlc0YTQvDqu5gjqVICeWPDOh6yuwbsJ7SReo=
-----END ENCRYPTED PRIVATE KEY-----
"""
