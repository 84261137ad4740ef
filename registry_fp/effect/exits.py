"""The exits: from an operation back to ordinary code, with its types.

mypy loses every type when a `Result` or an `IOResult` is matched, so the outcome of an operation is one of two plain
values, `Ok` and `Err`, on which `match` is exact and exhaustive in mypy and in pyright.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar, final

from returns.future import FutureResult
from returns.io import IOResult
from returns.pipeline import is_successful
from returns.result import Failure, Result, Success
from returns.unsafe import unsafe_perform_io

from registry_fp.domain.errors import RegistryError
from registry_fp.domain.explain import describe

__all__ = ["Err", "Ok", "RegistryFailed", "fold", "outcome", "result_of", "settle", "unwrap"]

A = TypeVar("A")
B = TypeVar("B")
E = TypeVar("E")
T_co = TypeVar("T_co", covariant=True)
E_co = TypeVar("E_co", covariant=True)


@final
@dataclass(frozen=True)  # no slots: frozen, slots and Generic together break before 3.13 (python/cpython#116669)
class Ok(Generic[T_co]):
    """An operation that succeeded, and what it gave."""

    value: T_co


@final
@dataclass(frozen=True)
class Err(Generic[E_co]):
    """An operation that failed, and why."""

    error: E_co


class RegistryFailed(Exception):  # noqa: N818  it is not an error, it carries one
    """What `unwrap` raises, and `connect` where a setting is wrong: the only exception of this library."""

    def __init__(self, error: RegistryError) -> None:
        super().__init__(error)
        self.error = error

    def __str__(self) -> str:
        """The one line of `describe`."""
        return describe(self.error)


def outcome(done: IOResult[A, E]) -> Ok[A] | Err[E]:
    """An already awaited operation as a closed, exhaustively matchable union.

    >>> outcome(IOResult.from_value(1))
    Ok(value=1)
    """
    if is_successful(done):
        return Ok(unsafe_perform_io(done.unwrap()))
    return Err(unsafe_perform_io(done.failure()))


async def settle(op: FutureResult[A, E]) -> Ok[A] | Err[E]:
    """Run an operation to its end: `Ok` with the value or `Err` with the error; only cancellation and bugs raise."""
    return outcome(await op.awaitable())


async def fold(op: FutureResult[A, E], ok: Callable[[A], B], err: Callable[[E], B]) -> B:
    """Run an operation and make one value of either track."""
    out = await settle(op)
    return ok(out.value) if isinstance(out, Ok) else err(out.error)


async def unwrap(op: FutureResult[A, RegistryError]) -> A:
    """Run an operation and give its value; raises `RegistryFailed` where it failed."""
    out = await settle(op)
    if isinstance(out, Err):
        raise RegistryFailed(out.error)
    return out.value


def result_of(out: Ok[A] | Err[E]) -> Result[A, E]:
    """Back from an outcome to the `Result` that a lifted step returns.

    >>> result_of(Ok(1))
    <Success: 1>
    """
    return Success(out.value) if isinstance(out, Ok) else Failure(out.error)
