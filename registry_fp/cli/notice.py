"""Notices: what registries said beside their answers, as lines for people. Pure: nothing is written here."""

from __future__ import annotations

from collections.abc import Iterator

from registry_fp import Client

__all__ = ["notice_lines"]


def notice_lines(client: Client, *, verbose: bool) -> Iterator[str]:
    """`warning: HOST: text` for each warning; with `verbose` also `quota: HOST: ...`, what may still be asked."""
    said = client.notices.notices
    for warning in said.warnings:
        yield f"warning: {warning.host}: {warning.text}"
    for each in said.quotas if verbose else ():
        quota = each.quota
        remaining = "unknown" if quota.remaining is None else str(quota.remaining)
        parts = (
            remaining if quota.limit is None else f"{remaining} of {quota.limit}",
            "left",
            None if quota.window is None else f"in {quota.window} s",
            None if quota.reset is None else f"until it begins anew in {quota.reset} s",
            None if quota.source is None else f"for {quota.source}",
        )
        yield f"quota: {each.host}: {' '.join(part for part in parts if part is not None)}"
