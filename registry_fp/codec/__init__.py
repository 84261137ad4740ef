"""Bytes to bytes, streaming: compression both ways, and digests as the bytes pass by.

The law of this layer: nothing here knows a file, a socket or an image; memory does not depend on the length of the
stream; what takes time runs in a thread and gives the interpreter lock back.
"""
