"""The public door as a user's type checker sees it: exact types, no plugin, nothing that decays to `Any`.

Checked by mypy in three configurations and by pyright; never run.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import assert_never, assert_type

from returns.future import FutureResult
from returns.io import IOResult
from returns.result import Failure, Result, Success

from registry_fp import (
    FILE_LIMIT,
    PROFILES,
    TOPICS,
    AmbiguousManifest,
    Annotations,
    AnyArchive,
    AnyFile,
    ArtifactFile,
    ArtifactOptions,
    BadReference,
    BasicCredentials,
    BlobDone,
    BlobMoved,
    BlobStarted,
    Chunks,
    Client,
    Clock,
    Compression,
    Conflict,
    ConnectFailed,
    ConnectionLost,
    Copied,
    CopyOptions,
    Credentials,
    DeadlineExceeded,
    DeletePlan,
    Denied,
    Descriptor,
    Diagnosis,
    Died,
    Digest,
    DigestMismatch,
    DnsFailed,
    DockerSave,
    DoctorOptions,
    EntryKind,
    Err,
    Event,
    ExecutionConfig,
    Exported,
    Family,
    FileEntry,
    Finding,
    History,
    HostQuota,
    HostSettings,
    IdentityToken,
    ImageConfig,
    ImageEdit,
    ImageFault,
    ImageIndex,
    ImageManifest,
    ImageNoun,
    ImageRead,
    ImageSource,
    IndexEdit,
    Inspected,
    InspectedImage,
    InspectedIndex,
    InspectedLayer,
    InvalidImage,
    Keychain,
    LayerNote,
    LayoutImage,
    LimitExceeded,
    ListedBy,
    LocalIo,
    LoggedIn,
    LoggedOut,
    MalformedDocument,
    ManifestStored,
    MediaType,
    MediaTypeMismatch,
    Misconfigured,
    MissingContent,
    NoSuchPlatform,
    NotConfirmed,
    NotFound,
    NoticeBook,
    Notices,
    OciLayout,
    Ok,
    OnEvent,
    Op,
    Outcome,
    Page,
    Phase,
    Placed,
    Platform,
    PolicyRefused,
    Problem,
    ProtocolViolation,
    PullArtifactOptions,
    Pulled,
    PulledArtifact,
    PulledFile,
    PullOptions,
    Pushed,
    PushedArtifact,
    PushedBlob,
    PushOptions,
    Quota,
    RangeRejected,
    RateLimited,
    RawManifest,
    Reason,
    Reference,
    Refused,
    RegistryError,
    RegistryFailed,
    RegistryProfile,
    RegistryToken,
    RegistryWarning,
    RemoteImage,
    Repository,
    RetryPolicy,
    RewriteOptions,
    Rewritten,
    RootFs,
    SavedImage,
    SavedLayer,
    ServerFault,
    Settings,
    SeveralFailed,
    SizeMismatch,
    SourceChanged,
    TagNotDeletable,
    TarFault,
    TarUnreadable,
    TimedOut,
    TlsFailed,
    TlsFault,
    Topic,
    Tree,
    TreeNode,
    TreeRole,
    Unauthenticated,
    Unsupported,
    UploadLost,
    ValidImage,
    Verdict,
    anonymous,
    any_archive,
    append_layer,
    attach,
    blob_size,
    bracket,
    choose_platform,
    connect,
    consume_blob,
    convert,
    copy,
    copy_all,
    copy_tags,
    create_index,
    deadline,
    delete,
    delete_blob,
    delete_manifest,
    delete_tag,
    describe,
    detach,
    digest_of,
    docker_keychain,
    docker_save,
    doctor,
    edit_image,
    edit_index,
    exit_code,
    explain,
    exponential,
    export_files,
    find_profile,
    first_of,
    fold,
    get_blob,
    get_manifest,
    has_blob,
    head_manifest,
    hint,
    inspect,
    is_transient,
    keyring_keychain,
    list_files,
    list_referrers,
    list_repositories,
    list_tags,
    local_platform,
    login,
    logout,
    mount_blob,
    named_profile,
    oci_layout,
    operation,
    outcome,
    parse_digest,
    parse_host,
    parse_image_config,
    parse_manifest,
    parse_platform,
    parse_reference,
    parse_repository,
    ping,
    plan_delete,
    pull,
    pull_artifact,
    push,
    push_all,
    push_artifact,
    put_blob,
    put_manifest,
    read_file,
    read_settings,
    referrer_pages,
    repository_pages,
    retry,
    settings_keychain,
    settle,
    static_credentials,
    tag,
    tag_pages,
    traverse,
    traverse_all,
    tree,
    unwrap,
    validate,
    validate_remote,
)


def every_verb_is_an_operation_on_a_client_and_a_noun(
    client: Client, name: Reference, repository: Repository, digest: Digest, manifest: RawManifest
) -> tuple[object, ...]:
    """`verb(client, noun, ..., *, options) -> Op[T]`, with the noun as text or parsed."""
    source = docker_save("app.tar")
    return (
        assert_type(ping(client, "ghcr.io"), Op[None]),
        assert_type(list_repositories(client, "ghcr.io", page_size=10), Op[tuple[str, ...]]),
        assert_type(list_tags(client, repository), Op[tuple[str, ...]]),
        assert_type(list_tags(client, "ghcr.io/team/app"), Op[tuple[str, ...]]),
        assert_type(get_manifest(client, name), Op[RawManifest]),
        assert_type(get_manifest(client, "ghcr.io/team/app:1"), Op[RawManifest]),
        assert_type(head_manifest(client, name), Op[Descriptor]),
        assert_type(put_manifest(client, name, manifest), Op[Descriptor]),
        assert_type(delete_manifest(client, name), Op[None]),
        assert_type(has_blob(client, repository, digest), Op[bool]),
        assert_type(has_blob(client, "ghcr.io/team/app", "sha256:00"), Op[bool]),
        assert_type(get_blob(client, repository, digest, limit=1), Op[bytes]),
        assert_type(put_blob(client, repository, b""), Op[Descriptor]),
        assert_type(delete_blob(client, repository, digest), Op[None]),
        assert_type(mount_blob(client, repository, digest, source=repository).map(bool), Op[bool]),
        assert_type(push(client, source, name, options=PushOptions(compression="zstd")), Op[Pushed]),
        assert_type(push(client, source, "localhost:5000/app"), Op[Pushed]),
        assert_type(push_all(client, source, "localhost:5000"), Op[tuple[Pushed, ...]]),
        assert_type(validate(source), Op[tuple[SavedImage, ...]]),
        assert_type(inspect(client, source), Op[Inspected]),
        assert_type(inspect(client, name), Op[Inspected]),
    )


def images_move_between_registries_and_disks(
    client: Client, name: Reference, folder: OciLayout, found: AnyArchive, edit: ImageEdit
) -> tuple[object, ...]:
    """What is on disk is a value, wherever an image can come from or go to."""
    source: ImageSource = folder
    family: Family = "oci"
    return (
        assert_type(pull(client, name, folder, options=PullOptions(platform="all")), Op[Pulled]),
        assert_type(pull(client, "ghcr.io/team/app:1", docker_save("app.tar")), Op[Pulled]),
        assert_type(push(client, source, name), Op[Pushed]),
        assert_type(copy(client, name, "localhost:5000/app:1", options=CopyOptions(referrers=True)), Op[Copied]),
        assert_type(copy(client, name, name).map(lambda copied: copied.blobs), Op[tuple[Placed, ...]]),
        assert_type(copy_all(client, [(name, "localhost:5000/app:1")], limit=3), Op[tuple[Copied, ...]]),
        assert_type(copy_tags(client, "localhost:5000/app", "localhost:5000/other"), Op[tuple[Copied, ...]]),
        assert_type(validate(folder), Op[tuple[LayoutImage, ...]]),
        assert_type(validate(found), Op[tuple[ValidImage, ...]]),
        assert_type(validate_remote(client, name, platform="linux/amd64", concurrency=2), Op[RemoteImage]),
        assert_type(oci_layout("app", image="1.0"), OciLayout),
        assert_type(any_archive("app"), AnyArchive),
        assert_type(convert(client, name, name, to=family, options=RewriteOptions(concurrency=1)), Op[Rewritten]),
        assert_type(edit_image(client, name, name, edit), Op[Rewritten]),
        assert_type(append_layer(client, name, name, "layer.tar", note=LayerNote(comment="new")), Op[Rewritten]),
        assert_type(create_index(client, [name, "localhost:5000/app:2"], name), Op[Rewritten]),
        assert_type(edit_index(client, name, name, IndexEdit(only=["linux/arm64"])), Op[Rewritten]),
    )


def names_are_given_and_taken(client: Client, name: Reference) -> tuple[object, ...]:
    """A plan is a value, to be looked at before anything is done."""
    return (
        assert_type(tag(client, name, "stable"), Op[Descriptor]),
        assert_type(delete(client, name), Op[None]),
        assert_type(delete_tag(client, "localhost:5000/app:1"), Op[None]),
        assert_type(plan_delete(client, name), Op[DeletePlan]),
        assert_type(doctor(client, "ghcr.io/team/app", options=DoctorOptions(writes=False)), Op[Diagnosis]),
        assert_type(doctor(client, "ghcr.io").map(lambda found: found.ills), Op[tuple[Finding, ...]]),
        assert_type(blob_size(client, "localhost:5000/app", "sha256:00"), Op[int | None]),
    )


def artifacts_are_files_with_a_manifest(client: Client, name: Reference, file: ArtifactFile) -> tuple[object, ...]:
    """One file or many, as paths or with what is to be said of them."""
    return (
        assert_type(push_artifact(client, ["a.txt", file], name, options=ArtifactOptions()), Op[PushedArtifact]),
        assert_type(pull_artifact(client, name, "folder", options=PullArtifactOptions()), Op[PulledArtifact]),
        assert_type(attach(client, name, "sbom.json"), Op[PushedArtifact]),
        assert_type(detach(client, name), Op[None]),
        assert_type(list_referrers(client, name, artifact_type="application/spdx+json"), Op[tuple[Descriptor, ...]]),
    )


def an_image_can_be_looked_into(client: Client, noun: ImageNoun, index: ImageIndex) -> tuple[object, ...]:
    """In a registry or on disk, by the same verbs."""
    return (
        assert_type(tree(client, noun, referrers=False), Op[Tree]),
        assert_type(export_files(client, noun, "root.tar"), Op[Exported]),
        assert_type(list_files(client, noun, layer=-1), Op[tuple[FileEntry, ...]]),
        assert_type(read_file(client, noun, "etc/passwd", limit=FILE_LIMIT), Op[bytes]),
        assert_type(parse_platform("linux/arm64"), Result[Platform, RegistryError]),
        assert_type(choose_platform(index, local_platform()), Result[Descriptor, NoSuchPlatform]),
    )


def a_tree_has_roles_and_a_file_a_kind(grown: Tree, entry: FileEntry) -> tuple[TreeRole, EntryKind]:
    """Both are closed."""
    node = assert_type(grown.root, TreeNode)
    return node.role, entry.kind


def a_finding_has_a_topic_and_a_verdict(diagnosis: Diagnosis) -> tuple[Topic, Verdict]:
    """Both are closed sets of words."""
    [first, *_] = diagnosis.ills
    return assert_type(first.topic, Topic), assert_type(first.verdict, Verdict)


async def long_lists_come_page_by_page(client: Client, name: Reference) -> None:
    """Each page is an `Ok`, and an `Err` is the last."""
    async for page in tag_pages(client, "localhost:5000/app"):
        assert_type(page, Ok[Page[str]] | Err[RegistryError])
    async for listed in repository_pages(client, "localhost:5000"):
        assert_type(listed, Ok[Page[str]] | Err[RegistryError])
    async for about in referrer_pages(client, name):
        assert_type(about, Ok[Page[Descriptor]] | Err[RegistryError])


def an_operation_is_a_future_result_of_the_one_error(client: Client) -> FutureResult[None, RegistryError]:
    """`Op` is a name for a type of `returns`, and no type of its own."""
    return ping(client, "ghcr.io")


def names_are_parsed_into_results() -> tuple[object, ...]:
    """Pure steps return `Result`, and join by `bind_result`."""
    return (
        assert_type(parse_reference("nginx"), Result[Reference, RegistryError]),
        assert_type(parse_repository("nginx"), Result[Repository, RegistryError]),
        assert_type(parse_host("ghcr.io"), Result[str, RegistryError]),
        assert_type(parse_digest("sha256:00"), Result[Digest, RegistryError]),
        assert_type(parse_manifest(b"{}"), Result[RawManifest, Reason]),
        assert_type(parse_image_config(b"{}"), Result[ImageConfig, MalformedDocument | LimitExceeded]),
        assert_type(read_settings(concurrency=2), Result[Settings, RegistryError]),
        assert_type(digest_of(b""), Digest),
        assert_type(docker_save("app.tar", image=0), DockerSave),
    )


def a_railway_keeps_its_types(client: Client, source: DockerSave) -> tuple[object, ...]:
    """`bind`, `map`, `alt`, `lash` and `bind_result` with lambdas: exact in both checkers."""
    pushed = push(client, source, "localhost:5000/app:1")
    return (
        assert_type(pushed.map(lambda done: done.digest), Op[Digest]),
        assert_type(pushed.bind(lambda done: get_manifest(client, done.reference)), Op[RawManifest]),
        assert_type(
            pushed.bind(lambda done: list_tags(client, done.reference.repository)).map(len),
            Op[int],
        ),
        assert_type(pushed.bind_result(lambda done: parse_reference(str(done.reference))), Op[Reference]),
        assert_type(pushed.alt(explain), FutureResult[Pushed, str]),
        assert_type(pushed.lash(lambda _: push(client, source, "localhost:5001/app:1")), Op[Pushed]),
    )


async def the_exits_give_plain_values(client: Client, op: Op[Pushed]) -> None:
    """`settle`, `fold`, `unwrap` and `outcome`: matched exhaustively, without losing a type."""
    out = assert_type(await settle(op), Ok[Pushed] | Err[RegistryError])
    match out:
        case Ok(pushed):
            assert_type(pushed, Pushed)
        case Err(error):
            assert_type(error, RegistryError)
        case _:
            assert_never(out)
    assert_type(await unwrap(op), Pushed)
    assert_type(await fold(op, lambda done: done.summary, explain), str)
    done = await op.awaitable()
    assert_type(done, IOResult[Pushed, RegistryError])
    assert_type(outcome(done), Ok[Pushed] | Err[RegistryError])
    match await settle(get_blob(client, "app", "sha256:00")):
        case Ok(content):
            assert_type(content, bytes)
        case Err(RegistryError(reason=NotFound(problems=problems))):
            assert_type(problems, tuple[Problem, ...])
        case Err(RegistryError(doing, target, reason, attempts, elapsed)):
            assert_type(doing, str)
            assert_type(target, str)
            assert_type(reason, Reason)
            assert_type(attempts, int)
            assert_type(elapsed, float)


def an_outcome_can_be_told_in_every_branch(out: Ok[int] | Err[RegistryError]) -> int:
    """A match that returns in every case needs nothing after it."""
    match out:
        case Ok(value):
            return value
        case Err(error):
            return exit_code(error)


def the_exception_carries_the_error(failed: RegistryFailed) -> RegistryError:
    """For those who prefer exceptions."""
    return assert_type(failed.error, RegistryError)


def an_error_is_told_in_words_and_numbers(error: RegistryError) -> tuple[object, ...]:
    """To people, to the shell, and to code that may try again."""
    return (
        assert_type(explain(error), str),
        assert_type(describe(error), str),
        assert_type(hint(error), str),
        assert_type(exit_code(error), int),
        assert_type(is_transient(error), bool),
    )


def every_reason_can_be_matched(reason: Reason) -> str:
    """Exhaustive, with the facts of each reason in their types; a new reason makes this file fail."""
    match reason:
        case DnsFailed(host=host, temporary=temporary):
            return assert_type(host, str) if assert_type(temporary, bool) else ""
        case ConnectFailed(host=host, why=detail) | TlsFailed(host=host, why=detail):
            return assert_type(host, str) + assert_type(detail, str)
        case TimedOut(phase=phase, seconds=seconds):
            return phase + str(assert_type(seconds, float))
        case DeadlineExceeded(seconds=seconds):
            return str(assert_type(seconds, float))
        case ConnectionLost(bytes_done=count) | UploadLost(bytes_done=count):
            return str(assert_type(count, int))
        case ServerFault(status=status, problems=problems, after=after):
            return _told(assert_type(problems, tuple[Problem, ...])) + str((status, assert_type(after, float | None)))
        case RateLimited(after=after):
            return str(assert_type(after, float | None))
        case Unauthenticated(problems=problems) | Denied(problems=problems):
            return _told(problems)
        case NotFound(what=what, problems=problems):
            return what + _told(problems)
        case Refused(status=status, problems=problems):
            return str(assert_type(status, int)) + _told(problems)
        case RangeRejected(expected=sent, actual=held):
            return str((assert_type(sent, int), assert_type(held, int | None)))
        case DigestMismatch(expected=promised, actual=found):
            return str((assert_type(promised, Digest), assert_type(found, Digest)))
        case SizeMismatch(expected=size, actual=actual):
            return str((assert_type(size, int), assert_type(actual, int)))
        case ProtocolViolation(rule=rule) | PolicyRefused(rule=rule):
            return assert_type(rule, str)
        case LimitExceeded(what=limited, limit=limit):
            return assert_type(limited, str) + str(assert_type(limit, int))
        case MalformedDocument(why=detail) | AmbiguousManifest(why=detail):
            return assert_type(detail, str)
        case MediaTypeMismatch(declared=declared, found=travelling):
            return assert_type(declared, str) + assert_type(travelling, str)
        case Unsupported(what=unsupported):
            return assert_type(unsupported, str)
        case BadReference(text=text, why=detail):
            return assert_type(text, str) + assert_type(detail, str)
        case TarUnreadable(kind=fault, member=member, offset=offset):
            return str((fault, assert_type(member, str | None), assert_type(offset, int | None)))
        case InvalidImage(kind=wrong, member=member, detail=detail):
            return str((wrong, assert_type(member, str | None), assert_type(detail, str)))
        case SourceChanged(what=changed):
            return assert_type(changed, str)
        case LocalIo(errno=number, path=path):
            return str(assert_type(number, int)) + assert_type(path, str)
        case Misconfigured(setting=setting):
            return assert_type(setting, str)
        case NotConfirmed(what=unconfirmed):
            return assert_type(unconfirmed, str)
        case NoSuchPlatform(wanted=wanted, available=available):
            return assert_type(wanted, str) + str(assert_type(available, tuple[str, ...]))
        case MissingContent(digests=digests):
            return str(assert_type(digests, tuple[Digest, ...]))
        case TagNotDeletable(digest=kept, siblings=siblings):
            return str((assert_type(kept, Digest), assert_type(siblings, tuple[str, ...])))
        case Conflict(expected=was, found=now):
            return str((assert_type(was, Digest | None), assert_type(now, Digest | None)))
        case SeveralFailed(errors=errors, total=total):
            return str((assert_type(errors, tuple[RegistryError, ...]), assert_type(total, int)))
        case _:
            assert_never(reason)


def _told(problems: tuple[Problem, ...]) -> str:
    return "; ".join(problem.message for problem in problems)


def every_event_can_be_matched(event: Event) -> str:
    """A watcher of a push that forgets an event is told so."""
    match event:
        case ImageRead(target=target, blobs=blobs):
            assert_type(blobs, tuple[tuple[str, int], ...])
            return assert_type(target, str)
        case BlobStarted(blob=blob, length=length):
            return blob + str(assert_type(length, int))
        case BlobMoved(blob=blob, read=read, sent=sent):
            return blob + str(assert_type(read, int) + assert_type(sent, int))
        case BlobDone(blob=blob, digest=digest):
            return blob + str(assert_type(digest, Digest))
        case ManifestStored(reference=reference, manifest=manifest):
            return str(assert_type(reference, Reference)) + str(assert_type(manifest, Descriptor))
        case _:
            assert_never(event)


def what_is_inspected_can_be_matched(found: Inspected) -> int:
    """One image or many."""
    match found:
        case InspectedImage(config=config, size=size):
            assert_type(config, ImageConfig | None)
            return assert_type(size, int)
        case InspectedIndex(manifests=manifests):
            return len(assert_type(manifests, tuple[Descriptor, ...]))
        case _:
            assert_never(found)


def what_a_manifest_is_can_be_matched(manifest: RawManifest) -> int:
    """The model is one of two."""
    match manifest.model:
        case ImageManifest(layers=layers):
            return len(assert_type(layers, tuple[Descriptor, ...]))
        case ImageIndex(manifests=manifests):
            return len(assert_type(manifests, tuple[Descriptor, ...]))
        case _:
            assert_never(manifest.model)


def a_push_says_what_became_of_its_blobs(pushed: Pushed) -> tuple[object, ...]:
    """What a report is made of."""
    return (
        assert_type(pushed.reference, Reference),
        assert_type(pushed.digest, Digest),
        assert_type(pushed.summary, str),
        assert_type(pushed.sent, int),
        assert_type(pushed.blobs, tuple[PushedBlob, ...]),
        assert_type(pushed.blobs[0].descriptor, Descriptor),
    )


def documents_are_typed_to_the_bottom(config: ImageConfig, blob: Descriptor) -> tuple[object, ...]:
    """What a configuration and a descriptor hold, nulls included."""
    return (
        assert_type(config.platform, Platform),
        assert_type(config.config, ExecutionConfig | None),
        assert_type(config.rootfs, RootFs),
        assert_type(config.rootfs.diff_ids, tuple[Digest, ...]),
        assert_type(config.history, tuple[History, ...] | None),
        assert_type(blob.annotations, Annotations | None),
        assert_type(blob.size, int),
    )


def an_archive_is_typed_to_the_bottom(image: SavedImage, inspected: InspectedImage) -> tuple[object, ...]:
    """What `validate` gives of an archive, and `inspect` of an archive or a registry."""
    return (
        assert_type(image.layers, tuple[SavedLayer, ...]),
        assert_type(image.references, tuple[Reference, ...]),
        assert_type(inspected.layers, tuple[InspectedLayer, ...]),
        assert_type(inspected.layers[0].media_type, MediaType),
        assert_type(inspected.config_digest, Digest),
    )


def the_words_of_a_reason_are_closed(
    timed_out: TimedOut, tar: TarUnreadable, image: InvalidImage, done: BlobDone
) -> tuple[object, ...]:
    """Literals: a wrong one in a comparison is an error."""
    phase: Phase = timed_out.phase
    tar_fault: TarFault = tar.kind
    image_fault: ImageFault = image.kind
    became: Outcome = done.outcome
    codec: Compression = "zstd"
    return (phase == "read", tar_fault == "truncated", image_fault == "bad layer", became == "mounted", codec)


async def time_and_hosts_are_chosen_by_the_caller(clock: Clock, watch: OnEvent) -> PushOptions:
    """A clock that tests turn, and settings for a single host."""
    settings = Settings(hosts={"registry:5000": HostSettings(plain_http=True)}, retries=0)
    assert_type(settings.host("registry:5000"), HostSettings)
    assert_type(clock.now(), float)
    async with connect(settings, clock=clock):
        return PushOptions(on_event=watch)


def what_registries_are_and_say_is_typed(client: Client, pulled: Pulled, failed: TlsFailed) -> tuple[object, ...]:
    """Profiles, notices, and what is wrong with a certificate."""
    book: NoticeBook = client.notices
    notices: Notices = pulled.notices
    fault: TlsFault = "the certificate has expired"
    return (
        assert_type(PROFILES, tuple[RegistryProfile, ...]),
        assert_type(find_profile("ghcr.io"), RegistryProfile),
        assert_type(named_profile("harbor"), RegistryProfile | None),
        assert_type(book.quota("docker.io"), Quota | None),
        assert_type(notices.warnings, tuple[RegistryWarning, ...]),
        assert_type(notices.quotas, tuple[HostQuota, ...]),
        assert_type(settings_keychain(Settings()), Keychain),
        assert_type(TOPICS, tuple[Topic, ...]),
        failed.why == fault,
    )


@operation
async def halved(number: int, *, exact: bool = True) -> Result[int, RegistryError]:
    """A user's own operation."""
    return Success(number // 2) if number % 2 == 0 or not exact else Failure(_bad())


def _bad() -> RegistryError:
    return RegistryError("halved", "1", Misconfigured("number", "odd"))


def combinators_infer_what_goes_through_them(client: Client, names: list[str]) -> tuple[object, ...]:
    """Many at once, again, no longer than, and with a resource: no plugin, no annotation."""
    patient: RetryPolicy[RegistryError] = RetryPolicy(exponential(0.2), should_retry=is_transient)
    return (
        assert_type(halved(4, exact=False), Op[int]),
        assert_type(halved(4).bind(halved), Op[int]),
        assert_type(traverse(names, lambda name: head_manifest(client, name), limit=4), Op[tuple[Descriptor, ...]]),
        assert_type(
            traverse_all(names, lambda name: list_tags(client, name), limit=4),
            FutureResult[tuple[tuple[str, ...], ...], tuple[RegistryError, ...]],
        ),
        assert_type(retry(lambda: ping(client, "ghcr.io"), patient), Op[None]),
        assert_type(deadline(halved(4), 1.0, _bad), Op[int]),
        assert_type(deadline(halved(4), 1.0, lambda: "late"), FutureResult[int, RegistryError | str]),
        assert_type(bracket(lambda: halved(8), halved, _release), Op[int]),
    )


async def _release(number: int, ended: Ok[int] | Err[RegistryError] | Died) -> None:
    match ended:
        case Ok(value):
            assert_type(value, int)
        case Err(error):
            assert_type(error, RegistryError)
        case Died(cause):
            assert_type(cause, BaseException)
        case _:
            assert_never(ended)


async def _length(chunks: Chunks) -> Result[int, RegistryError]:
    total = 0
    async for chunk in chunks:
        assert_type(chunk, Result[bytes, RegistryError])
        total += len(chunk.value_or(b""))
    return Success(total)


def a_blob_is_consumed_into_whatever_the_consumer_makes(client: Client, blob: Descriptor) -> Op[int]:
    """The type of the operation is the consumer's."""
    return assert_type(consume_blob(client, "app", blob, _length), Op[int])


async def a_client_is_opened_for_a_block(settings: Settings) -> None:
    """The only way to get one, so that there is nothing to forget."""
    opened: AbstractAsyncContextManager[Client] = connect(settings, keychain=anonymous)
    async with opened as client:
        assert_type(client, Client)
    async with connect(keychain=static_credentials("ghcr.io", "user", "password")) as other:
        assert_type(other, Client)


def a_keychain_is_a_function(found: Op[Credentials | None]) -> Keychain:
    """A user's own is as good as ours."""

    def keychain(asked: str) -> Op[Credentials | None]:
        return found if asked.partition("/")[0] == "ghcr.io" else anonymous(asked)

    return first_of(keychain, docker_keychain(), keyring_keychain())


def credentials_are_of_three_kinds(found: Credentials) -> str:
    """Closed, and no secret shows itself."""
    match found:
        case BasicCredentials(username=name) | IdentityToken(username=name):
            return name
        case RegistryToken(token=token):
            return str(token)


def an_account_is_kept_and_forgotten(client: Client) -> tuple[object, ...]:
    """In the files that other tools read."""
    return (
        assert_type(login(client, "ghcr.io", "ada", "secret"), Op[LoggedIn]),
        assert_type(logout("ghcr.io"), Op[LoggedOut]),
    )


def an_artifact_tells_who_lists_it(pushed: PushedArtifact, pulled: PulledFile, file: AnyFile) -> ListedBy | None:
    """The registry, or its clients."""
    assert_type(pulled.path.name, str)
    return pushed.listed_by if file else None


def a_watcher_is_a_function(watch: Callable[[Event], None]) -> PushOptions:
    """Whoever wants to know what happens."""
    return PushOptions(on_event=watch, concurrency=2, compression="gzip", level=1)
