"""A registry that opens to nobody, and remembers whom it was told about: by us, by Docker, by skopeo."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from socket import MSG_PEEK
from threading import Condition, Thread
from typing import Any
from urllib.parse import parse_qs

__all__ = ["ISSUED", "Teller", "running_teller"]

ISSUED = "issued-by-the-teller"
"""The token that it gives to everybody who says who they are."""


class Teller(HTTPServer):
    """`told` is what it heard, as (kind, parts...): a password, a refresh token, or a bearer token not of its own."""

    request_queue_size = 20

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Visit)
        self.told: list[tuple[str, ...]] = []
        self._at_rest = Condition()
        self._visits = 0

    def process_request(self, request: Any, client_address: Any) -> None:
        """One visit after the other, and it is known when there is none."""
        with self._at_rest:
            self._visits += 1
        try:
            super().process_request(request, client_address)
        finally:
            with self._at_rest:
                self._visits -= 1
                self._at_rest.notify_all()

    @property
    def host(self) -> str:
        """Where it is."""
        return f"127.0.0.1:{self.server_address[1]}"

    def heard(self) -> tuple[str, ...] | None:
        """The one thing that was said since the last time; None where nobody said who they are."""
        with self._at_rest:
            assert self._at_rest.wait_for(lambda: not self._visits, 10)
        said, self.told = sorted(set(self.told)), []
        assert len(said) <= 1, said
        return said[0] if said else None


class _Visit(BaseHTTPRequestHandler):
    server: Teller
    timeout = 5

    def handle(self) -> None:
        """Who tries TLS is told so in plain HTTP, which is how Docker learns that there is none."""
        if self.connection.recv(1, MSG_PEEK) == b"\x16":
            self.wfile.write(b"HTTP/1.0 400 Bad Request\r\n\r\nno TLS here\n")
        else:
            super().handle()

    def do_GET(self) -> None:
        scheme, _, secret = self.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "basic":
            user, _, password = base64.b64decode(secret).decode().partition(":")
            self.server.told.append(("basic", user, password))
        elif scheme.lower() == "bearer" and secret != ISSUED:
            self.server.told.append(("bearer", secret))
        if self.path.startswith("/token"):
            self._say(200, {"token": ISSUED, "access_token": ISSUED})
        elif scheme.lower() == "bearer":
            self._say(404, {"errors": [{"code": "MANIFEST_UNKNOWN", "message": "nothing is here"}]})
        else:
            self._say(401, {"errors": [{"code": "UNAUTHORIZED", "message": "who are you"}]})

    do_HEAD = do_GET  # noqa: N815  the names are the standard library's

    def do_POST(self) -> None:
        form = parse_qs(self._body().decode())
        if "refresh_token" in form:
            self.server.told.append(("identity", form["refresh_token"][0]))
        elif "password" in form:
            self.server.told.append(("basic", form["username"][0], form["password"][0]))
        self._say(200, {"token": ISSUED, "access_token": ISSUED})

    def _body(self) -> bytes:
        if "Content-Length" in self.headers:
            return self.rfile.read(int(self.headers["Content-Length"]))
        parts = []
        while size := int(self.rfile.readline(), 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _say(self, status: int, document: object) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        if status == 401:
            realm = f'Bearer realm="http://{self.server.host}/token",service="tests"'
            self.send_header("WWW-Authenticate", realm)
        self.send_header("Content-Type", "application/json")
        self.send_header("Docker-Distribution-API-Version", "registry/2.0")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """It remembers, and does not talk."""


@contextmanager
def running_teller() -> Iterator[Teller]:
    """One, for as long as the block lasts."""
    with Teller() as teller:
        thread = Thread(target=lambda: teller.serve_forever(0.02), name="teller")
        thread.start()
        try:
            yield teller
        finally:
            teller.shutdown()
            thread.join()
