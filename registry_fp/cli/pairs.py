"""Pairs and words: what options of the form KEY=VALUE, and exec forms, stand for."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

__all__ = ["changes_of", "check_pairs", "check_words", "pairs_of", "words_of"]


def pairs_of(texts: Iterable[str] | None) -> dict[str, str]:
    """Names and texts; the last of a name is meant. Raises `ValueError` for what is no pair.

    >>> pairs_of(["a=1", "b=x=y"])
    {'a': '1', 'b': 'x=y'}
    """
    pairs: dict[str, str] = {}
    for text in texts or ():
        key, equals, value = text.partition("=")
        if not key or not equals:
            raise ValueError(f"It is KEY=VALUE, not {text!r}.")
        pairs[key] = value
    return pairs


def changes_of(texts: Iterable[str] | None, removed: Iterable[str] | None) -> dict[str, str | None]:
    """Names and texts, and names that are to go (None), which a text of the same name takes back.

    >>> changes_of(["A=1"], ["B"])
    {'B': None, 'A': '1'}
    """
    return {**dict.fromkeys(removed or ()), **pairs_of(texts)}


def words_of(text: str | None) -> tuple[str, ...] | None:
    """A command line in Dockerfile's exec form, or one word; empty text removes it, None leaves it.

    Raises `ValueError` for a list that is none.

    >>> words_of('["sh", "-c", "id"]')
    ('sh', '-c', 'id')
    >>> words_of("/bin/app")
    ('/bin/app',)
    """
    if not text:
        return None if text is None else ()
    if not text.startswith("["):
        return (text,)
    try:
        words: Any = json.loads(text)
    except (ValueError, RecursionError):
        words = None
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise ValueError(f'It is one word, or a JSON list as ["sh", "-c", "id"], not {text!r}.')
    return tuple(words)


def check_pairs(_: Any, texts: list[str] | None) -> None:
    """The validator of an option whose values are KEY=VALUE."""
    pairs_of(texts)


def check_words(_: Any, text: str | None) -> None:
    """The validator of an option whose value is a command line."""
    words_of(text)
