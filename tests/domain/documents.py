"""Documents that the tests of manifests and configurations start from."""

from __future__ import annotations

import json
from typing import Any, Final

from hypothesis import strategies as st

from registry_fp.domain.digest import digest_of

__all__ = ["CONFIG", "IMAGE", "INDEX", "LAYER", "encoded", "unknown_fields"]

CONFIG: Final[dict[str, Any]] = {
    "mediaType": "application/vnd.oci.image.config.v1+json",
    "digest": str(digest_of(b"config")),
    "size": 6,
}
LAYER: Final[dict[str, Any]] = {
    "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip",
    "digest": str(digest_of(b"layer")),
    "size": 5,
}
IMAGE: Final[dict[str, Any]] = {"schemaVersion": 2, "config": CONFIG, "layers": [LAYER]}
INDEX: Final[dict[str, Any]] = {
    "schemaVersion": 2,
    "manifests": [
        {
            "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "digest": str(digest_of(b"manifest")),
            "size": 8,
            "platform": {
                "architecture": "arm64",
                "os": "linux",
                "variant": "v8",
                "os.version": "1",
                "os.features": ["x"],
            },
        }
    ],
}

_TEXT: Final = st.characters(exclude_categories=["Cs"])
_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(_TEXT, max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(_TEXT, max_size=3), inner, max_size=2),
    max_leaves=5,
)


def unknown_fields(*known: str) -> st.SearchStrategy[dict[str, Any]]:
    """Fields of other people's, under names that are none of `known` in any spelling."""
    names = st.text(_TEXT, max_size=8) | st.sampled_from(["media_type", "model_config", "__class__", "copy", "x.y/z"])
    return st.dictionaries(names.filter(lambda name: name.casefold() not in known), _values, max_size=3)


def encoded(document: object) -> bytes:
    """JSON as most tools write it."""
    return json.dumps(document).encode()
