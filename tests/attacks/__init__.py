"""Attacks: what a hostile or broken server, archive or folder tries, and what becomes of it."""
