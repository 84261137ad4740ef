"""Errors for people: one line that says what happened, and a hint that mends it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from errno import EACCES, EBUSY, EDQUOT, EEXIST, EISDIR, EMFILE, ENFILE, ENOENT, ENOSPC, ENOTDIR, EPERM
from typing import Final, assert_never

from returns.pipeline import is_successful

from registry_fp.domain import errors as why
from registry_fp.domain.errors import Problem, Reason, RegistryError, TarFault
from registry_fp.domain.image_hint import image_hint
from registry_fp.domain.printable import printable
from registry_fp.domain.reference import parse_reference
from registry_fp.domain.tls_fault import tls_hint

__all__ = ["describe", "explain", "hint"]

_MANY: Final = 8  # things that one line lists ...
_LONG: Final = 150  # ... and characters of each


def explain(error: RegistryError) -> str:
    """The line of `describe`, and below it `hint: ...`.

    >>> print(explain(RegistryError("ping", "localhost:1", why.ConnectFailed("localhost:1", "connection refused"))))
    ping localhost:1: ConnectFailed: cannot connect to localhost:1: connection refused
    hint: check the host and the port, and that the registry is running
    """
    return f"{describe(error)}\nhint: {hint(error)}"


def describe(error: RegistryError) -> str:
    """One line: the verb, its target, the reason's name, and the facts as a sentence.

    >>> describe(RegistryError("push", "app.tar", why.InvalidImage("missing layer", "abc/layer.tar"), attempts=1))
    'push app.tar: InvalidImage: missing layer: abc/layer.tar'
    """
    spent = f" (after {error.attempts} attempts, {error.elapsed:.1f} s)" if error.attempts > 1 else ""
    line = f"{error.doing} {error.target}: {type(error.reason).__name__}: {_sentence(error.reason)}{spent}"
    return printable(line)


def hint(error: RegistryError) -> str:
    """What most often mends an error of this reason, as one line."""
    return printable(_hint(error.reason))


def _sentence(reason: Reason) -> str:
    match reason:
        case why.DnsFailed(host=host):
            return f"no address for {host}"
        case why.ConnectFailed(host=host, why=detail):
            return f"cannot connect to {host}: {detail}"
        case why.TlsFailed(host=host, why=detail):
            return f"no trusted connection to {host}: {detail}"
        case why.TimedOut(phase=phase, seconds=seconds):
            return _late(phase, seconds)
        case why.DeadlineExceeded(seconds=seconds):
            return f"not done within {seconds:g} s"
        case why.ConnectionLost(bytes_done=done):
            return f"the connection broke after {done} bytes of the body"
        case why.ServerFault(status=status, problems=problems):
            return f"the registry answered {status}{_told(problems)}"
        case why.RateLimited(after=None):
            return "the registry answered 429, too many requests"
        case why.RateLimited(after=after):
            return f"the registry answered 429, too many requests, and asks to wait {after:g} s"
        case why.Unauthenticated(problems=problems):
            return f"the registry wants credentials{_told(problems)}"
        case why.Denied(problems=problems):
            return f"the registry does not allow it{_told(problems)}"
        case why.NotFound(what=what, problems=problems):
            return f"no such {what}{_told(problems)}"
        case why.Refused(status=status, problems=problems):
            return f"the registry refused with {status}{_told(problems)}"
        case why.UploadLost(bytes_done=done):
            return f"the registry lost the upload after {done} bytes"
        case why.RangeRejected(expected=expected, actual=actual):
            return f"the registry holds {'?' if actual is None else actual} bytes of the upload, {expected} were sent"
        case why.DigestMismatch(expected=expected, actual=actual):
            return f"expected {expected}, found {actual}"
        case why.SizeMismatch(expected=expected, actual=actual):
            return f"expected {expected} bytes, found {actual}"
        case why.ProtocolViolation(rule=rule):
            return f"the registry broke the protocol: {rule}"
        case why.PolicyRefused(rule=rule, url=url):
            return f"{rule}: {url}"
        case why.LimitExceeded(what=what, limit=limit):
            return f"more than {limit} {what}"
        case why.MalformedDocument(why=detail) | why.AmbiguousManifest(why=detail):
            return detail
        case why.MediaTypeMismatch(declared=declared, found=found):
            return f"the document says {declared}, and travels as {found}"
        case why.Unsupported(what=what):
            return f"not supported: {what}"
        case why.BadReference(text=text, why=detail):
            return f"{detail} (in {text!r})"
        case why.TarUnreadable(kind=kind, member=member, offset=offset, detail=detail):
            place = f"at byte {offset} of the archive" if offset else ""
            return _joined(kind, member, place, detail)
        case why.InvalidImage(kind=kind, member=member, detail=detail):
            is_said = member is not None and kind.endswith(f" {member}") and not member.isalpha()  # "no manifest.json"
            return _joined(kind, None if is_said else member, detail)
        case why.SourceChanged(what=what):
            return f"{what} changed while it was being read"
        case why.LocalIo(errno=number, path=path):
            return f"{os.strerror(number)}: {path}"
        case why.Misconfigured(setting=setting, why=detail):
            return f"{setting}: {detail}"
        case why.NotConfirmed(what=what):
            return f"the registry accepted {what} and does not have it"
        case why.NoSuchPlatform(wanted=wanted, available=available):
            return f"no image for {wanted}; there are {_listed(available)}"
        case why.MissingContent(digests=digests):
            return f"content is listed and not there: {_listed(digests)}"
        case why.TagNotDeletable(digest=digest, siblings=siblings):
            others = f", which are also named {_listed(siblings)}" if siblings else ""
            return f"the registry cannot remove a tag alone, only all of {digest}{others}"
        case why.Conflict(expected=expected, found=found):
            return f"somebody else changed it meanwhile: expected {expected or 'nothing'}, found {found or 'nothing'}"
        case why.SeveralFailed(errors=errors, total=total):
            return f"{len(errors)} of {total} failed; first: {describe(errors[0]) if errors else 'unknown'}"
        case _:
            assert_never(reason)


def _hint(reason: Reason) -> str:
    match reason:
        case why.DnsFailed():
            return "check the spelling of the host, and the network's name server"
        case why.ConnectFailed(why=detail) if detail.startswith("the proxy"):
            return "check the proxy, and what it can reach; `no_proxy` names hosts that are reached without one"
        case why.ConnectFailed():
            return "check the host and the port, and that the registry is running"
        case why.TlsFailed(why=detail):
            return tls_hint(detail)
        case why.TimedOut(phase="rate"):
            return "the network is slower than the minimum rate; try again, or lower `min_rate`"
        case why.TimedOut():
            return "the registry or the network is stuck; try again, or raise the timeout"
        case why.DeadlineExceeded():
            return "raise the timeout, or try again: blobs that the registry has are not sent twice"
        case why.ConnectionLost() | why.UploadLost() | why.RangeRejected():
            return "try again: blobs that the registry has are not sent twice"
        case why.ServerFault():
            return "the fault is on the registry's side; try again later, or ask who runs it"
        case why.RateLimited():
            return "wait, then try again with lower concurrency or with credentials"
        case why.Unauthenticated():
            return "give credentials for this host, or check the ones given"
        case why.Denied():
            return "check that the account may write to (or read) this repository, and that the repository exists"
        case why.NotFound(what="blob"):
            return "check the repository and the digest; a push sends what is missing"
        case why.NotFound(what="file" | "layer"):
            return "list what is there: `list_files`, or `registry-fp ls`"
        case why.NotFound(what="registry"):
            return "check that the address is a registry's"
        case why.NotFound():
            return "check the spelling of repository and tag; the list of tags shows what is there"
        case why.Refused(status=405):
            return "this registry does not allow the operation; its administrator can often enable it"
        case why.Refused(status=413):
            return "the registry, or a proxy before it, takes no body of this size; ask for a higher limit"
        case why.Refused(problems=()):
            return "the registry does not say why; ask who runs it"
        case why.Refused():
            return "the registry's own words above say what it does not accept"
        case why.DigestMismatch() | why.SizeMismatch():
            return "the content is damaged or was replaced; fetch or save it again"
        case why.ProtocolViolation():
            return "check that the address is a registry's and not a proxy's or a web page's"
        case why.PolicyRefused(rule=rule):
            return _policy_hint(rule)
        case why.LimitExceeded():
            return "this is larger than any honest image needs; check where it comes from"
        case why.MalformedDocument() | why.AmbiguousManifest() | why.MediaTypeMismatch():
            return "the document was written wrongly; build or push the image again with another tool"
        case why.Unsupported(what=what):
            return _other_way(what)
        case why.BadReference(why=detail) if "for example" in detail:
            return "the line above shows one that would do"
        case why.BadReference(text=text) if is_successful(parse_reference(text)):
            return "as a name it is well formed, and does not fit here; the line above says why"
        case why.BadReference():
            return "a reference is [HOST[:PORT]/]NAME[:TAG][@DIGEST], for example ghcr.io/team/app:1.4"
        case why.TarUnreadable(kind=kind):
            return _tar_hint(kind)
        case why.InvalidImage(kind=kind, detail=detail):
            return image_hint(kind, detail)
        case why.SourceChanged():
            return "wait until the file is complete, then try again"
        case why.LocalIo(errno=number):
            return _io_hint(number)
        case why.Misconfigured(setting=setting):
            return _setting_hint(setting)
        case why.NotConfirmed():
            return "try again; if it stays so, the registry's storage is not consistent"
        case why.NoSuchPlatform():
            return "choose one of these platforms (--platform), or take every one"
        case why.MissingContent():
            return 'save the image again with all its platforms, or push what is there (`missing="present"`, --present)'
        case why.TagNotDeletable():
            return "to remove the manifest with all its tags, delete it by its digest"
        case why.Conflict():
            return "look at what is there now, then try again"
        case why.SeveralFailed(errors=errors):
            return hint(errors[0]) if errors else "try again"
        case _:
            assert_never(reason)


def _policy_hint(rule: str) -> str:
    match rule:
        case _ if rule.endswith("a metadata address"):
            return "no registry has a reason to lead there; ask who runs it"
        case _ if rule.endswith(" address"):
            return "if it is a host of your own network, and registries may lead to it, name it in `private_hosts`"
        case _ if rule.startswith("the proxy"):
            return "ask who runs the proxy, or name the host in `no_proxy` if it is reached without one"
        case _ if rule.startswith("a token server of another host"):
            return "if that host may know who you are, name it in `trusted_realms`"
        case _:
            return "if you trust that address, use it directly"


def _tar_hint(kind: TarFault) -> str:
    match kind:
        case "empty" | "truncated":
            return "the file is not complete; save or download it again"
        case "not a tar":
            return "give a file made by `docker save`, plain or compressed with gzip, zstd, xz or bzip2"
        case "bad compression":
            return "the compressed file is damaged; save or download it again"
        case "bad header":
            return "the file is damaged, or made to mislead; save or download it again"
        case "hostile header" | "too many members":
            return "no image tool writes archives like this; do not trust where it comes from"
        case _:
            assert_never(kind)


def _setting_hint(setting: str) -> str:
    match setting:
        case "username" | "password":
            return "type it at a terminal (`registry-fp login`), or give --username, and send it to --password-stdin"
        case "DOCKER_AUTH_CONFIG":
            return f"mend {setting}, or unset it and log in again"
        case _ if setting.startswith("docker-credential-"):
            return f"mend or install {setting}, or take it out of `credHelpers` and `credsStore` in your docker config"
        case _:
            return "give another value: as an argument or, for a setting, in REGISTRY_FP_* or in the settings file"


def _other_way(what: str) -> str:
    match what:
        case _ if "zstd" in what:
            return "install registry-fp[zstd]"
        case _ if what.startswith("an archive"):
            return "save it to a file, and give that file"
        case _ if ";" in what:
            return "there is another way, and the line above names it"
        case _ if what.startswith("writing an archive"):
            return "give the path of a file"
        case _ if what.startswith("a layer that has a path several times"):
            return "build the image again, with each path once in a layer; `cat` gives single files of it"
        case _ if what.startswith("a layer"):
            return "save the image again; layers are plain, or compressed with gzip or zstd"
        case _:
            return "do it in another way, or with another registry"


def _io_hint(number: int) -> str:
    match number:
        case _ if number in (ENOENT, ENOTDIR):
            return "check the path"
        case _ if number == EISDIR:
            return "give the file itself, not the folder that it is in"
        case _ if number == EEXIST:
            return "something else is there, and is not replaced: give another path"
        case _ if number == EBUSY:
            return "somebody else is writing there at this moment: wait, or give another path"
        case _ if number in (EACCES, EPERM):
            return "check the permissions of the path"
        case _ if number in (ENOSPC, EDQUOT):
            return "free some space where this is written; what has to be unpacked first is unpacked in TMPDIR"
        case _ if number in (EMFILE, ENFILE):
            return "lower the concurrency, or raise the limit of open files"
        case _:
            return "check the disk and the path"


def _late(phase: why.Phase, seconds: float) -> str:
    match phase:
        case "connect":
            return f"no connection within {seconds:g} s"
        case "write":
            return f"the registry took no bytes for {seconds:g} s"
        case "response":
            return f"no answer within {seconds:g} s"
        case "read":
            return f"no bytes arrived for {seconds:g} s"
        case "rate":
            return f"slower than the minimum rate over {seconds:g} s"
        case _:
            assert_never(phase)


def _listed(things: Iterable[object]) -> str:
    each = [text if len(text := str(thing)) <= _LONG else f"{text[:_LONG]}..." for thing in things]
    more = f" and {len(each) - _MANY} more" if len(each) > _MANY else ""
    return (", ".join(each[:_MANY]) or "none") + more


def _told(problems: tuple[Problem, ...]) -> str:
    each = (f"{problem.code}: {problem.message}" if problem.message else problem.code for problem in problems)
    told = "; ".join(list(dict.fromkeys(each))[:3])
    return f" ({told})" if told else ""


def _joined(*parts: str | None) -> str:
    return ": ".join(part for part in parts if part)
