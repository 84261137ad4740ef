"""Quotas: every way to say them is read alike, and nothing that is said can do harm."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry_fp.protocol.quota import Quota, quota_in

SPOKEN = {
    "Docker Hub": (
        {
            "ratelimit-limit": "100;w=21600",
            "ratelimit-remaining": "76;w=21600",
            "docker-ratelimit-source": "192.0.2.7",
        },
        Quota(100, 76, 21600, None, "192.0.2.7"),
    ),
    "Docker Hub, the last one": (
        {"ratelimit-limit": "100;w=21600", "ratelimit-remaining": "0;w=21600"},
        Quota(100, 0, 21600),
    ),
    "draft 03": (
        {"ratelimit-limit": "10, 10;w=1, 1000;w=3600", "ratelimit-remaining": "9", "ratelimit-reset": "1"},
        Quota(10, 9, 1, 1),
    ),
    "draft 06": (
        {"ratelimit-limit": "10", "ratelimit-policy": "5;w=1, 10;w=60", "ratelimit-remaining": "4"},
        Quota(10, 4, 60),
    ),
    "draft 07": (
        {"ratelimit": "limit=100, remaining=50, reset=5", "ratelimit-policy": "100;w=10"},
        Quota(100, 50, 10, 5),
    ),
    "draft 10": (
        {"ratelimit": '"default";r=50;t=30', "ratelimit-policy": '"burst";q=9;w=1,"default";q=100;w=60'},
        Quota(100, 50, 60, 30),
    ),
    "draft 10, two quotas": ({"ratelimit": '"hour";r=500;t=60, "day";r=3;t=7200'}, Quota(None, 3, None, 7200)),
    "the X- form": (
        {"x-ratelimit-limit": "60", "x-ratelimit-remaining": "59", "x-ratelimit-reset": "1700000000"},
        Quota(60, 59),
    ),
    "the limit alone": ({"ratelimit-limit": "100"}, Quota(100)),
    "nothing": ({"content-type": "text/html"}, None),
    "a source alone": ({"docker-ratelimit-source": "192.0.2.7"}, None),
    "no number": ({"ratelimit-limit": "lots", "ratelimit-remaining": "-1"}, None),
    "a number without end": ({"ratelimit-limit": "9" * 5000}, None),
    "other digits": ({"ratelimit-limit": "\uff11\uff10\uff10"}, None),
    "empty": ({"ratelimit": "", "ratelimit-limit": ""}, None),
    "a source with an escape": (
        {"ratelimit-limit": "1", "docker-ratelimit-source": "\x1b[2J"},
        Quota(1),
    ),
    "a source without end": (
        {"ratelimit-limit": "1", "docker-ratelimit-source": "x" * 5000},
        Quota(1, source="x" * 128),
    ),
}

NAMES = (
    "ratelimit-limit",
    "ratelimit-remaining",
    "ratelimit-reset",
    "ratelimit",
    "ratelimit-policy",
    "x-ratelimit-limit",
    "docker-ratelimit-source",
)


@pytest.mark.parametrize("way", SPOKEN)
def test_every_way_to_say_a_quota_is_read(way: str) -> None:
    """Who wants to wait until there is quota again need not know which draft a registry has implemented."""
    headers, quota = SPOKEN[way]
    assert quota_in(headers) == quota


@given(
    st.dictionaries(st.sampled_from(NAMES), st.text(st.sampled_from('0123456789;,="= wqrtlimit-\x00é'), max_size=80))
)
def test_whatever_a_header_says_it_is_read_or_passed_over(headers: dict[str, str]) -> None:
    """A registry that says something odd about its quota has answered all the same."""
    quota = quota_in(headers)
    if quota is not None:
        assert (quota.limit, quota.remaining) != (None, None)
        numbers = (quota.limit, quota.remaining, quota.window, quota.reset)
        assert all(each is None or 0 <= each < 10**15 for each in numbers)


@given(st.integers(0, 10**14), st.integers(0, 10**14), st.integers(1, 10**9))
def test_the_drafts_agree(limit: int, remaining: int, window: int) -> None:
    """The same quota, said in three ways, is the same value."""
    said = Quota(limit, remaining, window)
    assert quota_in({"ratelimit-limit": f"{limit};w={window}", "ratelimit-remaining": str(remaining)}) == said
    policy = f"{limit};w={window}"
    assert quota_in({"ratelimit": f"limit={limit},remaining={remaining}", "ratelimit-policy": policy}) == said
    policy = f'"a";q={limit};w={window}'
    assert quota_in({"ratelimit": f'"a";r={remaining}', "ratelimit-policy": policy}) == said
