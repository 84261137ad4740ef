"""The operation: work that has not happened yet, and says how it can fail."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator
from functools import wraps
from typing import Any, Generic, ParamSpec, TypeAlias, TypeVar

from returns.future import FutureResult
from returns.result import Result

from registry_fp.domain.errors import RegistryError

__all__ = ["Op", "deferred", "operation"]

P = ParamSpec("P")
A = TypeVar("A")
E = TypeVar("E")
T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

Op: TypeAlias = FutureResult[T, RegistryError]
"""The type of every public operation: nothing runs until it is awaited, and then it gives a value or a `RegistryError`.

An operation remembers its first outcome and belongs to one task; to do the work again, call the function again.
"""


class _Deferred(Generic[T_co]):
    """An awaitable that makes its coroutine when awaited, so a dropped operation warns of nothing."""

    __slots__ = ("_make",)

    def __init__(self, make: Callable[[], Coroutine[Any, Any, T_co]]) -> None:
        self._make = make

    def __await__(self) -> Generator[Any, Any, T_co]:
        return self._make().__await__()


def deferred(make: Callable[[], Coroutine[Any, Any, Result[A, E]]]) -> FutureResult[A, E]:
    """The operation that `make` begins when it is awaited."""
    return FutureResult(_Deferred(make))


def operation(step: Callable[P, Coroutine[Any, Any, Result[A, E]]]) -> Callable[P, FutureResult[A, E]]:
    """`async def f(...) -> Result[A, E]` becomes `def f(...) -> FutureResult[A, E]`; methods and generics too.

    Only what is returned as `Failure` is typed; an exception is a bug and stays one.

    >>> import asyncio
    >>> from returns.result import Success
    >>> @operation
    ... async def double(number: int) -> Result[int, str]:
    ...     return Success(2 * number)
    >>> asyncio.run(double(4).bind(double).awaitable())
    <IOResult: <Success: 16>>
    """

    @wraps(step)
    def lifted(*args: P.args, **kwargs: P.kwargs) -> FutureResult[A, E]:
        return deferred(lambda: step(*args, **kwargs))

    return lifted
