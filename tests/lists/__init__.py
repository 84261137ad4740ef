"""Tests of listings: pages, bounds and referrers."""
