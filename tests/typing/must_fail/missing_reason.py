"""A reason, a track or an event that a match forgets."""

from typing import assert_never

from registry_fp import (
    BlobDone,
    BlobMoved,
    BlobStarted,
    Denied,
    Err,
    Event,
    ImageRead,
    NotFound,
    Ok,
    RateLimited,
    RegistryError,
)


def forgets_most_reasons(error: RegistryError) -> str:
    """Three of them are not all of them."""
    match error.reason:
        case NotFound():
            return "missing"
        case Denied() | RateLimited():
            return "not now"
        case _:
            assert_never(error.reason)  # expect: mypy[arg-type] pyright[reportArgumentType]


def forgets_the_failure(out: Ok[int] | Err[RegistryError]) -> int:
    """The error track is not optional."""
    match out:
        case Ok(value):
            return value
        case _:
            assert_never(out)  # expect: mypy[arg-type] pyright[reportArgumentType]


def forgets_the_last_event(event: Event) -> str:
    """The one that says that it is done."""
    match event:
        case ImageRead() | BlobStarted() | BlobMoved():
            return "under way"
        case BlobDone():
            return "a blob"
        case _:
            assert_never(event)  # expect: mypy[arg-type] pyright[reportArgumentType]
