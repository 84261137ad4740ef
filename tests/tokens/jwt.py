"""Tokens that Debian's docker-registry believes: signed by a key of the tests' own, with the machine's openssl."""

from __future__ import annotations

import asyncio
import base64
import json
import secrets
import shutil
import ssl
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.real.absence import MISSING

ISSUER, SERVICE = "tests", "tests"


class Signer:
    """A key and its certificate in a folder; `seconds` is how long a token lives."""

    def __init__(self, folder: Path, seconds: float = 300.0) -> None:
        program = shutil.which("openssl")
        if program is None:
            pytest.skip(f"{MISSING}openssl")
        self._program = program
        self._key, self.certificate, self._seconds = folder / "key.pem", folder / "certificate.pem", seconds
        subprocess.run(
            [
                *(program, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=tests", "-days", "2"),
                *("-keyout", self._key, "-out", self.certificate),
            ],
            check=True,
            capture_output=True,
        )

    def settings(self, realm: str) -> Mapping[str, object]:
        """What a docker-registry has to be told."""
        told = {"realm": realm, "service": SERVICE, "issuer": ISSUER, "rootcertbundle": str(self.certificate)}
        return {"auth": {"token": told}}

    async def __call__(self, user: str | None, allowed: tuple[str, ...]) -> str:
        """A token for this user, for these scopes with one action each."""
        der = ssl.PEM_cert_to_DER_cert(self.certificate.read_text())
        head = {"typ": "JWT", "alg": "RS256", "x5c": [base64.b64encode(der).decode()]}
        now = int(time.time())
        claims = {
            "iss": ISSUER,
            "sub": user or "",
            "aud": SERVICE,
            "jti": secrets.token_hex(8),
            "iat": now,
            "nbf": now - 10,
            "exp": now + int(self._seconds),
            "access": [_access(each) for each in allowed],
        }
        signed = f"{_coded(json.dumps(head).encode())}.{_coded(json.dumps(claims).encode())}"
        child = await asyncio.create_subprocess_exec(
            *(self._program, "dgst", "-sha256", "-sign", self._key),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        signature, _ = await child.communicate(signed.encode())
        return f"{signed}.{_coded(signature)}"


def _access(scope: str) -> dict[str, Any]:
    resource, _, action = scope.rpartition(":")
    kind, _, name = resource.partition(":")
    return {"type": kind, "name": name, "actions": [action]}


def _coded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")
