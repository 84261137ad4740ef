"""Tests of what changes tags: tagging, planning and deleting."""
