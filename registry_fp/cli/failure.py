"""Failures as they are shown: lines for people, one JSON object for programs. Pure: nothing is written here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import final

from registry_fp import RegistryError, SeveralFailed, describe, exit_code, hint, is_transient
from registry_fp.cli.printable import printable

__all__ = ["FailureDocument", "failure_document", "failure_lines"]


@final
@dataclass(frozen=True, slots=True)
class FailureDocument:
    """An error in JSON. Where several failed, `errors` has each of them."""

    doing: str
    target: str
    reason: str
    message: str
    hint: str
    attempts: int
    transient: bool
    exit_code: int
    errors: tuple[FailureDocument, ...]


def failure_document(error: RegistryError) -> FailureDocument:
    """The error as a value with a stable schema."""
    inner = error.reason.errors if isinstance(error.reason, SeveralFailed) else ()
    return FailureDocument(
        doing=error.doing,
        target=error.target,
        reason=type(error.reason).__name__,
        message=describe(error),
        hint=hint(error),
        attempts=error.attempts,
        transient=is_transient(error),
        exit_code=exit_code(error),
        errors=tuple(failure_document(each) for each in inner),
    )


def failure_lines(error: RegistryError) -> tuple[str, ...]:
    """`error: ...` for each thing that failed, then `hint: ...`, each different hint once.

    >>> from registry_fp import Denied
    >>> failure_lines(RegistryError("ping", "ghcr.io", Denied()))[0]
    'error: ping ghcr.io: Denied: the registry does not allow it'
    """
    causes = tuple(_causes(error))
    hints = dict.fromkeys(f"hint: {hint(cause)}" for cause in causes)
    return (*_total(error), *(f"error: {describe(cause)}" for cause in causes), *hints)


def _causes(error: RegistryError) -> Iterable[RegistryError]:
    if isinstance(error.reason, SeveralFailed) and error.reason.errors:
        for each in error.reason.errors:
            yield from _causes(each)
    else:
        yield error


def _total(error: RegistryError) -> tuple[str, ...]:
    match error.reason:
        case SeveralFailed(errors=errors, total=total) if errors:
            return (f"error: {error.doing} {printable(error.target)}: {len(errors)} of {total} failed",)
        case _:
            return ()
