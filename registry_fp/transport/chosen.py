"""What is chosen: the base of every group of settings."""

from __future__ import annotations

from typing import Any, ClassVar, SupportsIndex

from pydantic import BaseModel, ConfigDict, SecretStr

__all__ = ["Chosen"]


class Chosen(BaseModel):
    """A value that takes no field that it does not have, quotes nothing that it was given, and shows no secret.

    A proxy's URL may hold a password; with one in it, the value is not pickled, but stays in its process.
    """

    model_config: ClassVar[ConfigDict] = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    def __reduce_ex__(self, protocol: SupportsIndex, /) -> str | tuple[Any, ...]:
        """What pickle takes; raises `TypeError` where a password would go along."""
        secrets = (each for _, each in self if isinstance(each, SecretStr))
        if any("@" in each.get_secret_value() for each in secrets):
            raise TypeError(f"{type(self).__name__} with the password of a proxy is not pickled")
        return super().__reduce_ex__(protocol)
