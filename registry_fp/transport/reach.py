"""Reach: how near to us a server may send us.

A registry chooses where its redirects lead and who gives its tokens. One on the internet that sends us to our own
machine, our own network or the metadata service of our cloud uses us to get where it cannot go itself (GHSA-xf85,
google/go-containerregistry#2292). So addresses have zones, and an answer leads to the public zone, or to the zone that
it came from itself. What counts is the address that is connected to, whatever the name or the spelling it came of.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from socket import inet_aton
from typing import Final, Literal, TypeAlias, get_args

__all__ = ["Zone", "literal_address", "may_lead", "nearest", "zone_of", "zone_of_name"]

Zone: TypeAlias = Literal[
    "public", "private", "loopback", "link-local", "shared", "multicast", "reserved", "unspecified", "metadata"
]
"""What an address is for (IANA, special-purpose address registries); unique-local ones are `private`, too."""

_ZONES: Final[tuple[tuple[Zone, tuple[str, ...]], ...]] = (
    (
        "metadata",  # where a machine in a cloud asks who it is, and gets its credentials
        (
            "169.254.169.254/32",  # nearly everywhere
            "169.254.170.2/32",  # AWS, tasks of ECS
            "169.254.170.23/32",  # AWS, pods of EKS
            "169.254.0.23/32",  # Tencent
            "100.100.100.200/32",  # Alibaba
            "168.63.129.16/32",  # Azure, and a public address by its looks
            "fd00:ec2::254/128",  # AWS
            "fd00:ec2::23/128",  # AWS, pods of EKS
            "fd20:ce::254/128",  # Google
            "fd00:c1::a9fe:a9fe/128",  # Oracle
            "fe80::a9fe:a9fe/128",  # OpenStack
        ),
    ),
    ("loopback", ("127.0.0.0/8", "::1/128")),
    ("unspecified", ("0.0.0.0/8", "::/128")),
    ("private", ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "fec0::/10")),
    ("shared", ("100.64.0.0/10",)),
    ("link-local", ("169.254.0.0/16", "fe80::/10")),
    ("multicast", ("224.0.0.0/4", "ff00::/8")),
    (
        "reserved",
        (
            *("192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24"),
            *("240.0.0.0/4", "2001::/23", "2001:db8::/32", "3fff::/20"),
        ),
    ),
)

_TABLE: Final[tuple[tuple[Zone, IPv4Network | IPv6Network], ...]] = tuple(
    (zone, IPv6Network(text) if ":" in text else IPv4Network(text)) for zone, texts in _ZONES for text in texts
)
_ASSIGNED: Final = IPv6Network("2000::/3")  # of IPv6, nothing else is the internet's

_FOURTH_BYTES: Final = (
    IPv6Network("::/96"),  # compatible
    IPv6Network("::ffff:0:0/96"),  # mapped
    IPv6Network("::ffff:0:0:0/96"),  # translated
    IPv6Network("64:ff9b::/96"),  # NAT64
)
"""Where the last four bytes of an IPv6 address are the IPv4 address that is meant."""

_SIX_TO_FOUR: Final = IPv6Network("2002::/16")
_TEREDO: Final = IPv6Network("2001::/32")

_NAMES: Final[dict[str, Zone]] = {
    "localhost": "loopback",
    "localhost.localdomain": "loopback",
    "metadata": "metadata",
    "metadata.goog": "metadata",
    "metadata.google.internal": "metadata",
    "instance-data": "metadata",
    "instance-data.ec2.internal": "metadata",
}


@lru_cache(maxsize=1024)
def zone_of(address: str) -> Zone:
    """The zone of an address; what is no address is `reserved`.

    An IPv6 address that stands for an IPv4 one has the zone of that (RFC 4291, 6052, 3056, 4380).

    >>> zone_of("10.1.2.3"), zone_of("::ffff:127.0.0.1"), zone_of("64:ff9b::a9fe:a9fe"), zone_of("2606:4700::1111")
    ('private', 'loopback', 'metadata', 'public')
    """
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return "reserved"
    zones = {_own_zone(each) for each in _meant(parsed)}
    return next(zone for zone in reversed(get_args(Zone)) if zone in zones)


def nearest(sender: str | None) -> Zone:
    """The zone nearest to us that an answer from this address may lead to; None is an address that is not known.

    >>> nearest("10.0.0.1"), nearest("169.254.169.254"), nearest(None)
    ('private', 'public', 'public')
    """
    zone = "public" if sender is None else zone_of(sender)
    return "public" if zone == "metadata" else zone


def may_lead(near: Zone, zone: Zone) -> bool:
    """Whether what may come as near as `near` may come to this zone.

    >>> may_lead("private", "private"), may_lead("private", "loopback"), may_lead("private", "public")
    (True, False, True)
    """
    return zone in ("public", near)


def zone_of_name(host: str) -> Zone:
    """The zone of a host as far as its name tells: of an address in any spelling, and of names of the machine itself.

    This is all that can be judged where a proxy looks the name up; any other name counts as `public`.

    >>> zone_of_name("0x7f.1"), zone_of_name("LOCALHOST."), zone_of_name("storage.example")
    ('loopback', 'loopback', 'public')
    """
    name = host.lower().strip("[]").rstrip(".")
    address = literal_address(name)
    if address is not None:
        return zone_of(address)
    if "%" in name:
        return "reserved"  # a proxy may read it as any other name
    return "loopback" if name.endswith(".localhost") else _NAMES.get(name, "public")


def literal_address(host: str) -> str | None:
    """The address that a host spells, as a resolver reads it (`inet_aton`): decimal, octal, hexadecimal, shortened.

    >>> literal_address("2130706433"), literal_address("017700000001"), literal_address("ghcr.io")
    ('127.0.0.1', '127.0.0.1', None)
    """
    name = host.strip("[]").rstrip(".")
    try:
        return str(ip_address(name))
    except ValueError:
        pass
    if not name or not name.isascii() or any(mark.isspace() for mark in name):
        return None
    try:
        return str(IPv4Address(inet_aton(name)))
    except OSError:
        return None


def _own_zone(address: IPv4Address | IPv6Address) -> Zone:
    for zone, network in _TABLE:
        if address in network:
            return zone
    return "public" if isinstance(address, IPv4Address) or address in _ASSIGNED else "reserved"


def _meant(address: IPv4Address | IPv6Address) -> Iterator[IPv4Address | IPv6Address]:
    """The addresses that one stands for: itself, unless it wraps others."""
    if isinstance(address, IPv4Address) or int(address) in (0, 1):
        yield address
        return
    number = int(address)
    if any(address in network for network in _FOURTH_BYTES):
        yield IPv4Address(number & 0xFFFFFFFF)
    elif address in _SIX_TO_FOUR:
        yield IPv4Address(number >> 80 & 0xFFFFFFFF)
    elif address in _TEREDO:
        yield IPv4Address(number >> 64 & 0xFFFFFFFF)  # its server
        yield IPv4Address(~number & 0xFFFFFFFF)  # itself, with every bit turned round
    else:
        yield address
