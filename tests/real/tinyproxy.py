"""Debian's tinyproxy on a free port of loopback: an HTTP proxy, with CONNECT, and with a login if wanted."""

import re
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.real.child import START_SECONDS, dying_with_us, ended
from tests.real.debian import required

_PAUSE = 0.01
_TRIES = 5

_CONFIG = """\
Listen 127.0.0.1
Port {port}
Timeout 30
MaxClients 100
LogFile "{log}"
LogLevel Info
{more}
"""


@dataclass(frozen=True, slots=True)
class Tinyproxy:
    """A running tinyproxy: where it answers, and its log."""

    host: str
    log: Path

    @property
    def passed(self) -> list[str]:
        """The requests that it was sent, as `CONNECT HOST:PORT`, `GET http://...`."""
        said = self.log.read_text(encoding="utf-8", errors="replace")
        return re.findall(r"Request \(file descriptor \d+\): (\S+ \S+) HTTP", said)


@contextmanager
def serve_tinyproxy(root: Path, *, login: tuple[str, str] | None = None, tunnels: str = "") -> Iterator[Tinyproxy]:
    """Run tinyproxy with its files under `root` until the block ends.

    `login` is a user and a password that it demands, and `tunnels` the only port that CONNECT may lead to. Skips when
    tinyproxy cannot be had.
    """
    program = required("tinyproxy-bin", "tinyproxy")
    root.mkdir(parents=True, exist_ok=True)
    more = "" if login is None else f"BasicAuth {login[0]} {login[1]}\n"
    more += f"ConnectPort {tunnels}\n" if tunnels else ""
    for left in reversed(range(_TRIES)):
        # It takes no port of the kernel's choice, so one that is free now may be somebody's when it starts.
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        log = root / f"tinyproxy-{port}.log"
        config = root / "tinyproxy.conf"
        config.write_text(_CONFIG.format(port=port, log=log, more=more), encoding="utf-8")
        child = subprocess.Popen(
            [*dying_with_us(), str(program.program("tinyproxy")), "-d", "-c", str(config)],
            env=program.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # an interrupt typed at pytest must not end it before its clean-up
        )
        with ended(child):
            if _started(child, port, last=not left):
                yield Tinyproxy(f"127.0.0.1:{port}", log)
                return


def _started(child: subprocess.Popen[bytes], port: int, *, last: bool) -> bool:
    """Wait until it takes connections; False where it could not have its port."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1.0).close()
        except OSError:
            if child.poll() is not None and not last:
                return False
            assert child.poll() is None, f"tinyproxy did not start (exit code {child.returncode})"
            assert time.monotonic() < deadline, "tinyproxy did not start in time"
            time.sleep(_PAUSE)
        else:
            return True
