"""What a registry was asked, by method and endpoint."""

from collections import Counter

from tests.place import Place


def traffic(place: Place) -> dict[str, int]:
    """How often each kind of request came since the counts were reset; `end-4a` is a POST, and so on."""
    assert place.embedded is not None
    return dict(Counter(f"{seen.method} {seen.endpoint}" for seen in place.embedded.requests))


def connections(place: Place) -> int:
    """How many connections were opened since then."""
    assert place.embedded is not None
    return place.embedded.counts().connections


def reset(*places: Place) -> None:
    """Count anew."""
    for place in places:
        if place.embedded is not None:
            place.embedded.reset_counts()
