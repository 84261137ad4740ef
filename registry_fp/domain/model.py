"""The base of every document that crosses the border: frozen, strict, and keeping what it does not know.

Image-spec, "Considerations": an implementation must not fail on an unknown property, and must not change content so
that its digest changes. So unknown fields are kept (`model_extra`), and the exact bytes travel beside the model.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Self, TypeVar, final

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler, ValidationError, model_validator
from pydantic.alias_generators import to_camel
from pydantic_core import CoreSchema, core_schema
from returns.result import Failure, Result, Success

from registry_fp.domain.errors import MalformedDocument

__all__ = ["Annotations", "Document", "parse_model"]

M = TypeVar("M", bound="Document")


@final
class Annotations(Mapping[str, str]):
    """A mapping of text to text that cannot change, has a hash, and pickles. Source: image-spec, "Annotations".

    >>> Annotations({"a": "1"})["a"]
    '1'
    """

    __slots__ = ("_pairs",)

    def __init__(self, pairs: Mapping[str, str] | None = None) -> None:
        self._pairs = dict(pairs or {})

    def __getitem__(self, key: str) -> str:
        return self._pairs[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._pairs)

    def __len__(self) -> int:
        return len(self._pairs)

    def __hash__(self) -> int:
        return hash(frozenset(self._pairs.items()))

    def __repr__(self) -> str:
        return f"Annotations({self._pairs!r})"

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """In JSON it is an object whose values are strings."""
        text = core_schema.str_schema(strict=True)
        pairs = core_schema.no_info_after_validator_function(cls, core_schema.dict_schema(text, text, strict=True))
        return core_schema.json_or_python_schema(
            json_schema=pairs,
            python_schema=core_schema.union_schema([core_schema.is_instance_schema(cls), pairs]),
            serialization=core_schema.plain_serializer_function_ser_schema(dict),
        )


class Document(BaseModel):
    """A frozen, strict JSON object that keeps the fields it does not know, under their JSON names."""

    model_config: ClassVar[ConfigDict] = ConfigDict(
        frozen=True,
        strict=True,
        extra="allow",
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
        protected_namespaces=(),
    )

    @model_validator(mode="after")
    def _no_second_spelling(self) -> Self:
        # Go's decoder takes `Layers` for `layers`: two readers would see two images (CVE-2021-41190 and its family).
        known = {
            (field.serialization_alias or field.alias or name).casefold()
            for name, field in type(self).model_fields.items()
        }
        for extra in self.model_extra or ():
            if extra.casefold() in known:
                raise ValueError(f"field {extra[:64]!r} is a known field in another spelling")
        return self


def parse_model(model: type[M], raw: bytes) -> Result[M, MalformedDocument]:
    """A document from JSON bytes that the strict loader has already accepted.

    Fails with `MalformedDocument`, naming the first field that is wrong.
    """
    try:
        # By JSON name only: `media_type` is an unknown field to every other reader, so it must not be ours.
        return Success(model.model_validate_json(raw, by_alias=True, by_name=False))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        return Failure(MalformedDocument(f"{where}: {first['msg']}" if where else first["msg"]))
