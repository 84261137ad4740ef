"""Of every reason some samples, made from its fields alone: a new reason has them without being named here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from errno import EIO, ENOENT
from itertools import product
from types import NoneType, UnionType
from typing import Any, Final, Literal, Union, get_args, get_origin, get_type_hints

from registry_fp import (
    Digest,
    Problem,
    RateLimited,
    Reason,
    RegistryError,
    Unauthenticated,
    digest_of,
    exit_code,
    is_transient,
)
from registry_fp.domain import errors

__all__ = ["REASONS", "exit_codes", "samples", "transience"]

REASONS: Final[tuple[type[Reason], ...]] = get_args(Reason)

_PLAIN: Final[dict[Any, tuple[Any, ...]]] = {
    bool: (False, True),
    int: (ENOENT, EIO, 408, 418, 500, 501, 503, 505),
    float: (1.0,),
    str: ("text",),
    NoneType: (None,),
    Digest: (digest_of(b""),),
    tuple[str, ...]: ((), ("latest",)),
    tuple[Digest, ...]: ((digest_of(b""),),),
    tuple[Problem, ...]: ((), (Problem("CODE", "message"),)),
    tuple[RegistryError, ...]: (
        (RegistryError("ping", "localhost:1", RateLimited()),),
        (RegistryError("ping", "localhost:1", Unauthenticated()),),
    ),
}


def samples(kind: type[Reason]) -> tuple[RegistryError, ...]:
    """An error for every combination of values that could make a difference."""
    hints = get_type_hints(kind, {**vars(errors), "Digest": Digest})
    choices = [tuple(_values(hints[field.name])) for field in fields(kind)]
    return tuple(RegistryError("ping", "localhost:1", kind(*facts)) for facts in product(*choices))


def exit_codes(kind: type[Reason]) -> str:
    """As it stands in a table: `69`, or `66, 74`."""
    return ", ".join(str(code) for code in sorted({exit_code(error) for error in samples(kind)}))


def transience(kind: type[Reason]) -> str:
    """As it stands in a table: `yes`, `no` or `some`."""
    found = {is_transient(error) for error in samples(kind)}
    return "some" if len(found) > 1 else "yes" if found == {True} else "no"


def _values(hint: Any) -> Iterator[Any]:
    origin = get_origin(hint)
    if origin is Literal:
        yield from get_args(hint)
    elif origin in (Union, UnionType):
        for part in get_args(hint):
            yield from _values(part)
    else:
        yield from _PLAIN[hint]
