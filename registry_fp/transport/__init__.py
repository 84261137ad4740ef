"""Sockets: one request, one reply, and the wrappers that limit, authorise, follow and repeat it.

The law of this layer: one file imports aiohttp; one table turns its exceptions into reasons; every call ends.
"""
