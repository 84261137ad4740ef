"""What is chosen: the base of every group of settings."""

from __future__ import annotations

from typing import Any, ClassVar, SupportsIndex

from pydantic import BaseModel, ConfigDict, SecretStr

__all__ = ["Chosen"]


class Chosen(BaseModel):
    """A value that takes no field that it does not have, quotes nothing that it was given, and shows no secret.

    A value that holds a password, in the URL of a proxy or by itself, is not pickled, but stays in its process.
    """

    model_config: ClassVar[ConfigDict] = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    def __reduce_ex__(self, protocol: SupportsIndex, /) -> str | tuple[Any, ...]:
        """What pickle takes; raises `TypeError` where a password would go along."""
        secrets = ((name, each.get_secret_value()) for name, each in self if isinstance(each, SecretStr))
        if any("@" in text if name.endswith("proxy") else text for name, text in secrets):
            raise TypeError(f"{type(self).__name__} with a password is not pickled")
        return super().__reduce_ex__(protocol)
