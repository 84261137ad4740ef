"""A network of one machine with addresses of every zone, and what a registry on each of them leads to.

It is a program of its own, for the network namespace that `test_internet` makes: as root of it, it gives the loopback
interface these addresses, serves on all of them, and prints who reached whom, as JSON.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys

from aiohttp import web

from registry_fp import Settings, anonymous, connect, get_blob
from registry_fp.domain.digest import digest_of
from registry_fp.domain.errors import PolicyRefused
from registry_fp.effect.exits import Ok, settle

ADDRESSES = {
    "public": ("93.184.215.14", "2606:2800:21f:cb07::1"),
    "loopback": ("127.0.0.1", "::1"),
    "private": ("10.1.2.3", "fd12:3456::1"),
    "shared": ("100.64.7.7",),
    "link-local": ("169.254.7.7",),
    "metadata": ("169.254.169.254", "fd00:ec2::254", "168.63.129.16"),
    "reserved": ("198.18.0.7", "2001:db8::7"),
}
REGISTRY, STORAGE = 5000, 9000
BLOB = b"somewhere"


def set_up() -> None:
    """Give the loopback interface every address."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    for address in (each for group in ADDRESSES.values() for each in group):
        if address not in ("127.0.0.1", "::1"):
            length, more = (128, ("nodad",)) if ":" in address else (32, ())
            subprocess.run(["ip", "address", "add", f"{address}/{length}", "dev", "lo", *more], check=True)


def shown(address: str, port: int) -> str:
    """An address and a port, as in a URL."""
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


async def reached() -> list[tuple[str, str, str, int]]:
    """Who led to whom, the zone that was refused or else what came of it, and how often the storage was visited."""
    visits: list[str] = []
    everybody = [each for group in ADDRESSES.values() for each in group]

    async def registry(request: web.BaseRequest) -> web.StreamResponse:
        number = int(request.path.split("/")[2].removeprefix("led-to-"))
        raise web.HTTPTemporaryRedirect(f"http://{shown(everybody[number], STORAGE)}/blob")

    async def storage(request: web.BaseRequest) -> web.StreamResponse:
        visits.append(request.path)
        return web.Response(body=BLOB)

    found: list[tuple[str, str, str, int]] = []
    runners = [web.ServerRunner(web.Server(each, access_log=None)) for each in (registry, storage)]
    for runner, port in zip(runners, (REGISTRY, STORAGE), strict=True):
        await runner.setup()
        for host in ("0.0.0.0", "::"):  # noqa: S104  a network that ends at this process
            await web.TCPSite(runner, host, port).start()
    plain = frozenset(shown(each, REGISTRY) for each in everybody)
    settings = Settings(cache=False, retries=0, plain_http=plain)
    for source in everybody:
        async with connect(settings, keychain=anonymous) as client:
            for number, target in enumerate(everybody):
                visits.clear()
                name = f"{shown(source, REGISTRY)}/led-to-{number}"
                out = await settle(get_blob(client, name, digest_of(BLOB)))
                if isinstance(out, Ok):
                    said = out.value.decode()
                else:
                    reason = out.error.reason
                    said = reason.rule if isinstance(reason, PolicyRefused) else repr(reason)
                found.append((source, target, said, len(visits)))
    for runner in runners:
        await runner.cleanup()
    return found


if __name__ == "__main__":
    set_up()
    json.dump(asyncio.run(reached()), sys.stdout)
