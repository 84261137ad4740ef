"""A test kit: a registry that speaks the whole specification over real HTTP on loopback, and archives to push to it.

It is a test kit, and no production registry: it trusts whoever reaches it, and keeps no promise across a crash.
"""
