"""Whole images: railways over operations, joined with `bind`.

The law of this layer: each station takes only what the station before it gives, so a skipped station does not
type-check; nothing here imports aiohttp.
"""
