"""Zones: what an address is for, whatever it is wrapped in and however it is spelled."""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from registry_fp.transport.reach import Zone, literal_address, may_lead, nearest, zone_of, zone_of_name

V4 = st.integers(0, 2**32 - 1).map(IPv4Address) | st.sampled_from(
    [IPv4Address(each) for each in ("127.0.0.1", "10.0.0.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "8.8.8.8")]  # noqa: S104
)
# The registries of special addresses differ here between releases of Python, and we say more than they do.
UNSETTLED = [ip_network(each) for each in ("192.0.0.0/24", "192.88.99.0/24", "168.63.129.16/32", "224.0.0.0/4")]


@pytest.mark.parametrize(
    ("address", "zone"),
    [
        ("8.8.8.8", "public"),
        ("2606:4700:4700::1111", "public"),
        ("127.0.0.1", "loopback"),
        ("127.255.255.254", "loopback"),
        ("::1", "loopback"),
        ("10.0.0.1", "private"),
        ("172.16.0.1", "private"),
        ("172.31.255.255", "private"),
        ("172.32.0.0", "public"),
        ("192.168.0.1", "private"),
        ("fd12:3456::1", "private"),
        ("fec0::1", "private"),
        ("100.64.0.1", "shared"),
        ("100.127.255.255", "shared"),
        ("100.128.0.0", "public"),
        ("169.254.1.1", "link-local"),
        ("fe80::1", "link-local"),
        ("fe80::1%eth0", "link-local"),
        ("224.0.0.1", "multicast"),
        ("ff02::1", "multicast"),
        ("0.0.0.0", "unspecified"),  # noqa: S104
        ("0.1.2.3", "unspecified"),
        ("::", "unspecified"),
        ("255.255.255.255", "reserved"),
        ("240.0.0.1", "reserved"),
        ("192.0.2.1", "reserved"),
        ("198.18.0.1", "reserved"),
        ("2001:db8::1", "reserved"),
        ("100::1", "reserved"),
        ("64:ff9b:1::7f00:1", "reserved"),
        ("169.254.169.254", "metadata"),
        ("169.254.170.2", "metadata"),
        ("100.100.100.200", "metadata"),
        ("168.63.129.16", "metadata"),
        ("fd00:ec2::254", "metadata"),
        ("fd20:ce::254", "metadata"),
        ("::ffff:169.254.169.254", "metadata"),
        ("::127.0.0.1", "loopback"),
        ("64:ff9b::10.0.0.1", "private"),
        ("2002:7f00:1::", "loopback"),
        ("2001:0:808:808::f5ff:fffe", "private"),  # Teredo: a client at 10.0.0.1
        ("2001:0:a00:1::f7f7:f7f7", "private"),  # Teredo: a server at 10.0.0.1
        ("no address", "reserved"),
        ("", "reserved"),
    ],
)
def test_every_address_has_a_zone(address: str, zone: Zone) -> None:
    """An address that is taken for the internet's and is not is how a registry reads our cloud's credentials."""
    assert zone_of(address) == zone


@given(V4)
def test_what_wraps_an_address_has_its_zone(meant: IPv4Address) -> None:
    """An IPv6 address can be a way to write an IPv4 one, and is then judged by that."""
    number = int(meant)
    assume(number > 1)  # where nothing is wrapped: `::` and `::1` are addresses of their own
    wrapped = [
        IPv6Address(number),
        IPv6Address(0xFFFF << 32 | number),
        IPv6Address(0xFFFF << 48 | number),
        IPv6Address(0x64FF9B << 96 | number),
        IPv6Address(0x2002 << 112 | number << 80),
    ]
    assert {zone_of(str(each)) for each in wrapped} == {zone_of(str(meant))}
    teredo = IPv6Address(0x20010000 << 96 | int(IPv4Address("8.8.8.8")) << 64 | number ^ 0xFFFFFFFF)
    assert zone_of(str(teredo)) == zone_of(str(meant))


@given(V4 | st.integers(0, 2**128 - 1).map(IPv6Address) | st.integers(0x2000 << 112, 0x4000 << 112).map(IPv6Address))
def test_nothing_is_public_that_the_standard_library_knows_better(address: IPv4Address | IPv6Address) -> None:
    """Two readings of the same registries, made by different people, agree on what is on the internet."""
    assume(not any(address in network for network in UNSETTLED))
    if zone_of(str(address)) == "public":
        assert address.is_global
    if isinstance(address, IPv4Address) and address.is_global:
        assert zone_of(str(address)) == "public"


@given(V4, st.sampled_from(["{0:d}", "{0:#x}", "0{0:o}", "{a}.{rest:d}", "{a:#x}.{rest:#x}", "0{a:o}.0{rest:o}"]))
def test_a_number_is_the_address_that_a_resolver_makes_of_it(address: IPv4Address, form: str) -> None:
    """`2130706433`, `0x7f.1` and `0177.0.0.1` are loopback to the C library, so they are to us."""
    number = int(address)
    text = form.format(number, a=number >> 24, rest=number & 0xFFFFFF)
    looked_up = socket.getaddrinfo(text, 80, type=socket.SOCK_STREAM)[0][4][0]
    assert literal_address(text) == looked_up
    assert zone_of_name(text) == zone_of(str(looked_up))


@pytest.mark.parametrize(
    ("name", "zone"),
    [
        ("localhost", "loopback"),
        ("LOCALHOST.", "loopback"),
        ("a.localhost", "loopback"),
        ("[::1]", "loopback"),
        ("127.1", "loopback"),
        ("127.0.0.1.", "loopback"),
        ("%6cocalhost", "reserved"),
        ("metadata.google.internal", "metadata"),
        ("ghcr.io", "public"),
        ("localhost.example", "public"),
        ("1.2.3.4.example", "public"),
        ("127.0.0.1 x", "public"),
    ],
)
def test_a_name_tells_what_it_can(name: str, zone: Zone) -> None:
    """Behind a proxy there is nothing else to judge by."""
    assert zone_of_name(name) == zone


@given(st.sampled_from(["8.8.8.8", "10.0.0.1", "127.0.0.1", "169.254.169.254", "169.254.1.1", "198.18.0.9", "::1"]), V4)
def test_an_answer_leads_to_the_internet_or_to_where_it_came_from(sender: str, target: IPv4Address) -> None:
    """The whole rule: a registry inside may lead to its neighbours, and nobody leads to the metadata."""
    zone = zone_of(str(target))
    expected = zone == "public" or (zone == zone_of(sender) and zone != "metadata")
    assert may_lead(nearest(sender), zone) is expected
    assert may_lead(nearest(None), zone) is (zone == "public")
    assert str(ip_address(sender)) == sender
