"""Edits of images and indexes, without their layers."""
