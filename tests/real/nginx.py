"""Debian's nginx on free ports of loopback: TLS of many kinds before a registry."""

import os
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.real.certificates import Pair
from tests.real.child import START_SECONDS, dying_with_us, ended
from tests.real.debian import required

_PAUSE = 0.01
_USER = "user root;" if os.geteuid() == 0 else ""  # else the worker is another user, who may not enter our folders

_MAIN = """\
daemon off;
worker_processes 1;
{user}
pid {root}/nginx.pid;
error_log {root}/error.log info;
events {{ worker_connections 256; }}
http {{
  access_log {root}/access.log;
  client_body_temp_path {root}/body;
  proxy_temp_path {root}/proxy;
  fastcgi_temp_path {root}/fastcgi;
  uwsgi_temp_path {root}/uwsgi;
  scgi_temp_path {root}/scgi;
  ssl_protocols TLSv1.2 TLSv1.3;
  client_max_body_size 0;
  proxy_http_version 1.1;
  proxy_request_buffering off;
  proxy_buffering off;
  proxy_set_header Host $http_host;
  proxy_set_header X-Forwarded-Proto $scheme;
{servers}
}}
"""


@dataclass(frozen=True, slots=True)
class Front:
    """One port of nginx: what is before it, the certificate that it shows, and directives of nginx besides.

    `before` is the host of a registry; without it everything is answered by `directives`.
    """

    pair: Pair | None
    before: str | None = None
    directives: str = ""
    address: str = "127.0.0.1"


@contextmanager
def serve_nginx(root: Path, fronts: Mapping[str, Front]) -> Iterator[dict[str, str]]:
    """Run nginx with its files under `root` until the block ends; the hosts of the fronts, by name.

    Skips when nginx cannot be had.
    """
    prefix = required("nginx")
    root.mkdir(parents=True, exist_ok=True)
    with ExitStack() as held:
        # nginx takes over sockets that are open, as it does when its program is replaced: so no port is guessed.
        sockets = {name: held.enter_context(_listening(front.address)) for name, front in fronts.items()}
        hosts = {name: _host(opened) for name, opened in sockets.items()}
        servers = "".join(_server(front, hosts[name]) for name, front in fronts.items())
        config = root / "nginx.conf"
        config.write_text(_MAIN.format(root=root, user=_USER, servers=servers), encoding="utf-8")
        numbers = [opened.fileno() for opened in sockets.values()]
        child = subprocess.Popen(
            [
                *dying_with_us("TERM"),
                str(prefix.program("nginx")),
                "-e",
                str(root / "error.log"),
                "-p",
                str(root),
                "-c",
                str(config),
            ],
            env={**prefix.environment(), "NGINX": "".join(f"{number};" for number in numbers)},
            pass_fds=numbers,
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # an interrupt typed at pytest must not end it before its clean-up
        )
        with ended(child):
            _await_start(child, root)
            yield hosts


def _listening(address: str) -> socket.socket:
    opened = socket.create_server((address, 0), family=socket.AF_INET6 if ":" in address else socket.AF_INET)
    opened.setblocking(False)  # as nginx leaves its own to its successor, and takes for granted
    return opened


def _host(opened: socket.socket) -> str:
    address, port = opened.getsockname()[:2]
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def _server(front: Front, host: str) -> str:
    tls = "" if front.pair is None else f"ssl_certificate {front.pair.cert}; ssl_certificate_key {front.pair.key};"
    there = "" if front.before is None else f"location / {{ proxy_pass http://{front.before}; }}"
    return f"  server {{ listen {host}{' ssl' if tls else ''}; {tls} {front.directives} {there} }}\n"


def _await_start(child: subprocess.Popen[bytes], root: Path) -> None:
    """Wait until the program has its own process number written down, which it does when it has read everything."""
    deadline = time.monotonic() + START_SECONDS
    while not _number(root / "nginx.pid"):
        if child.poll() is not None or time.monotonic() > deadline:
            said = (root / "error.log").read_text(encoding="utf-8", errors="replace")
            raise AssertionError(f"nginx did not start (exit code {child.returncode}): {said[-2000:]}")
        time.sleep(_PAUSE)


def _number(file: Path) -> str:
    return file.read_text(encoding="ascii").strip() if file.exists() else ""
