"""The whole rule on real addresses: a registry of each zone leads to a server of each other."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.network.internet import ADDRESSES, BLOB
from tests.real.absence import absent
from tests.real.debian import required

ENTER = ("unshare", "--map-root-user", "--net", "--")


def test_only_the_internet_and_neighbours_are_led_to() -> None:
    """On addresses that are what they seem: nothing is looked up, and every refusal would have been an answer."""
    ip = required("iproute2", "ip").program("ip")
    try:
        subprocess.run([*ENTER, ip, "link", "set", "lo", "up"], check=True, capture_output=True, timeout=10.0)
    except (OSError, subprocess.SubprocessError) as cause:
        absent(f"a network namespace: {cause}", curable=False)
    done = subprocess.run(
        [*ENTER, sys.executable, "-m", "tests.network.internet"],
        cwd=Path(__file__).parents[2],
        env={"PATH": f"{ip.parent}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=120.0,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    zones = {address: zone for zone, group in ADDRESSES.items() for address in group}
    for source, target, said, visits in json.loads(done.stdout):
        zone = zones[target]
        if zone == "public" or (zone == zones[source] and zone != "metadata"):
            expected = (BLOB.decode(), 1)
        else:
            expected = (f"an answer from elsewhere never leads to a {zone} address", 0)
        assert (said, visits) == expected, (source, target)
