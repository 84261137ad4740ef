"""Pure values: what a registry holds, how it is named, and what can go wrong.

The law of this layer: no input or output, no asyncio, nothing that changes. It imports the standard library,
pydantic and `returns.result`, and knows no other layer.
"""
