"""The wire without the wire: requests, replies and what they mean, as pure functions.

The law of this layer: no socket, no file, no clock, no await; one function for each end-point of the distribution
specification, with its id (end-1 to end-14) in its docstring.
"""
