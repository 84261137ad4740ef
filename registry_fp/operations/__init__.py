"""Single steps on a registry: a thin request, send, decode for each verb, one noun a file.

The law of this layer: an operation is `verb(client, noun, ..., *, options) -> Op[T]`; it knows the transport's port
and no socket, and a bad noun is a failure before any byte is sent.
"""
