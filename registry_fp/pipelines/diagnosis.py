"""A diagnosis: what was found out about a registry, finding by finding."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, final, get_args

__all__ = ["TOPICS", "Diagnosis", "Finding", "Topic", "Verdict"]

Verdict: TypeAlias = Literal["yes", "no", "unknown"]
"""Whether it works, or is there; "unknown" where nobody could tell."""

Topic: TypeAlias = Literal[
    "reach",
    "tls",
    "proxy",
    "mirror",
    "registry",
    "clock",
    "realm",
    "credentials",
    "access",
    "pull",
    "push",
    "delete",
    "delete blob",
    "catalog",
    "tags",
    "head",
    "referrers",
    "upload status",
    "chunks",
    "upload cancel",
    "single put",
    "ranges",
    "mount",
    "delete tag",
    "quota",
    "warning",
    "traces",
]
"""What a finding is about.

The way there: reach, tls, proxy, mirror, registry, clock. Who we are: realm (who is asked for what lets us in),
credentials, access. What we may do in the repository: pull, push, delete, delete blob. What the registry can: the
others; "traces" is whether everything that was stored to find that out is gone again.
"""

TOPICS: Final[tuple[Topic, ...]] = get_args(Topic)
"""Every topic, in the order of a diagnosis."""

_CAUSES: Final[frozenset[Topic]] = frozenset({"reach", "tls", "proxy", "registry", "realm", "credentials"})
_WAYS_IN: Final[frozenset[Topic]] = frozenset({"realm", "credentials", "access"})


@final
@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found out: `told` is a line for people, and `hint` what mends it, or what to know about it."""

    topic: Topic
    verdict: Verdict
    told: str
    hint: str | None = None


@final
@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What was found out about a registry, and about one of its repositories if one was named.

    `url` is where it was asked, and `profile` the name of what is known of its kind (see `find_profile`).
    """

    host: str
    url: str
    profile: str
    repository: str | None
    findings: tuple[Finding, ...]

    def about(self, topic: Topic) -> tuple[Finding, ...]:
        """The findings on one topic; none where there was no reason to ask."""
        return tuple(each for each in self.findings if each.topic == topic)

    @property
    def ills(self) -> tuple[Finding, ...]:
        """What keeps us from reading there, without what comes of it; to be mended before anything else, in this order.

        Not what the registry cannot do or does not allow otherwise, and not that it wants to know who we are for what
        it lets everybody do.

        >>> nobody = Finding("credentials", "no", "none", "log in"), Finding("access", "no", "not without a login")
        >>> [each.topic for each in Diagnosis("one.example", "https://one.example", "plain", None, nobody).ills]
        ['credentials']
        >>> public = (*nobody, Finding("pull", "yes", "allowed"))
        >>> Diagnosis("ghcr.io", "https://ghcr.io", "ghcr", "team/app", public).ills
        ()
        """
        wrong = tuple(each for each in self.findings if each.verdict == "no")
        if any(each.verdict == "yes" for each in self.about("pull")):
            return tuple(each for each in wrong if each.topic in _CAUSES - _WAYS_IN)
        causes = tuple(each for each in wrong if each.topic in _CAUSES)
        barred = tuple(each for each in wrong if each.topic in ("access", "pull"))
        return causes or barred[:1]
