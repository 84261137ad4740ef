"""A server in a thread of its own that answers as it is told to, with any text in any place."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

__all__ = ["told_by"]

STRANGE_HEADERS = {
    "Warning": '299 - "\x1b[2J\u202eowned"',
    "X-Strange": "\x1b]0;owned\x07",
    "RateLimit-Limit": "\x1b[2J",
}
"""Control bytes that pass through HTTP as they are."""


@contextmanager
def told_by(answer: Callable[[str], tuple[int, str]]) -> Iterator[str]:
    """Its host, for as long as the block lasts; `answer` says the status and the body for each path."""

    class Telling(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, body = answer(self.path.partition("?")[0])
            content = body.encode()
            self.send_response(status)
            for name, value in STRANGE_HEADERS.items():
                self.send_header(name, value.encode().decode("latin-1"))
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(content)

        do_HEAD = do_GET  # noqa: N815  so it is called

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the same
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Telling)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
