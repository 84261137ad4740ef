"""registry_fp: push, pull, copy and inspect container images from async Python, with every failure in the type.

This file is long because it is the list of everything that there is.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from registry_fp._homes import HOMES

if TYPE_CHECKING:
    from registry_fp.archive.docker_save import SavedImage, SavedLayer
    from registry_fp.archive.layer_entry import EntryKind, FileEntry
    from registry_fp.archive.source import (
        AnyArchive,
        DockerSave,
        ImageSource,
        OciLayout,
        any_archive,
        docker_save,
        oci_layout,
    )
    from registry_fp.client import connect
    from registry_fp.domain.descriptor import Descriptor
    from registry_fp.domain.digest import Digest, digest_of, parse_digest
    from registry_fp.domain.edit import ImageEdit, LayerNote
    from registry_fp.domain.errors import (
        AmbiguousManifest,
        BadReference,
        Conflict,
        ConnectFailed,
        ConnectionLost,
        DeadlineExceeded,
        Denied,
        DigestMismatch,
        DnsFailed,
        ImageFault,
        InvalidImage,
        LimitExceeded,
        LocalIo,
        MalformedDocument,
        MediaTypeMismatch,
        Misconfigured,
        MissingContent,
        NoSuchPlatform,
        NotConfirmed,
        NotFound,
        Phase,
        PolicyRefused,
        Problem,
        ProtocolViolation,
        RangeRejected,
        RateLimited,
        Reason,
        Refused,
        RegistryError,
        ServerFault,
        SeveralFailed,
        SizeMismatch,
        SourceChanged,
        TagNotDeletable,
        TarFault,
        TarUnreadable,
        TimedOut,
        TlsFailed,
        Unauthenticated,
        Unsupported,
        UploadLost,
    )
    from registry_fp.domain.exit_code import exit_code
    from registry_fp.domain.explain import describe, explain, hint
    from registry_fp.domain.image_config import ExecutionConfig, History, ImageConfig, RootFs, parse_image_config
    from registry_fp.domain.manifest import ImageIndex, ImageManifest, RawManifest, parse_manifest
    from registry_fp.domain.media_type import Compression, Family, MediaType
    from registry_fp.domain.model import Annotations
    from registry_fp.domain.platform import Platform, choose_platform, local_platform, parse_platform
    from registry_fp.domain.reference import Reference, Repository, parse_host, parse_reference, parse_repository
    from registry_fp.domain.tls_fault import TlsFault
    from registry_fp.domain.transient import is_transient
    from registry_fp.effect.bracket import Died, bracket
    from registry_fp.effect.deadline import deadline
    from registry_fp.effect.exits import Err, Ok, RegistryFailed, fold, outcome, settle, unwrap
    from registry_fp.effect.operation import Op, operation
    from registry_fp.effect.retry import RetryPolicy, exponential, retry
    from registry_fp.effect.traverse import traverse, traverse_all
    from registry_fp.operations.blobs import (
        blob_size,
        consume_blob,
        delete_blob,
        get_blob,
        has_blob,
        mount_blob,
        put_blob,
    )
    from registry_fp.operations.catalog import list_repositories, repository_pages
    from registry_fp.operations.manifests import delete_manifest, get_manifest, head_manifest, put_manifest
    from registry_fp.operations.ping import ping
    from registry_fp.operations.referrers import list_referrers, referrer_pages
    from registry_fp.operations.tags import list_tags, tag_pages
    from registry_fp.pipelines.artifact import ArtifactOptions, PushedArtifact, push_artifact
    from registry_fp.pipelines.artifact_file import AnyFile, ArtifactFile
    from registry_fp.pipelines.artifact_pull import PullArtifactOptions, PulledArtifact, PulledFile, pull_artifact
    from registry_fp.pipelines.attach import attach, detach
    from registry_fp.pipelines.convert import convert
    from registry_fp.pipelines.copy import Copied, CopyOptions, copy, copy_all
    from registry_fp.pipelines.copy_tags import copy_tags
    from registry_fp.pipelines.delete import delete, delete_tag
    from registry_fp.pipelines.delete_plan import DeletePlan, plan_delete
    from registry_fp.pipelines.diagnosis import TOPICS, Diagnosis, Finding, Topic, Verdict
    from registry_fp.pipelines.doctor import DoctorOptions, doctor
    from registry_fp.pipelines.edit import append_layer, edit_image
    from registry_fp.pipelines.edit_index import IndexEdit, create_index, edit_index
    from registry_fp.pipelines.event import (
        BlobDone,
        BlobMoved,
        BlobStarted,
        Event,
        ImageRead,
        ManifestStored,
        OnEvent,
        Outcome,
    )
    from registry_fp.pipelines.export import Exported, export_files
    from registry_fp.pipelines.files import FILE_LIMIT, list_files, read_file
    from registry_fp.pipelines.image_view import ImageNoun
    from registry_fp.pipelines.inspect import Inspected, InspectedImage, InspectedIndex, InspectedLayer, inspect
    from registry_fp.pipelines.login import LoggedIn, LoggedOut, login, logout
    from registry_fp.pipelines.pull import Pulled, PullOptions, pull
    from registry_fp.pipelines.push import Pushed, PushedBlob, PushOptions, push
    from registry_fp.pipelines.push_all import push_all
    from registry_fp.pipelines.referrer import ListedBy
    from registry_fp.pipelines.rewritten import RewriteOptions, Rewritten
    from registry_fp.pipelines.store import Placed
    from registry_fp.pipelines.tag import tag
    from registry_fp.pipelines.tree import Tree, TreeNode, TreeRole, tree
    from registry_fp.pipelines.validate import ValidImage, validate
    from registry_fp.pipelines.validate_layout import LayoutImage
    from registry_fp.pipelines.validate_remote import RemoteImage, validate_remote
    from registry_fp.protocol.message import Chunks
    from registry_fp.protocol.page import Page
    from registry_fp.protocol.profile import PROFILES, RegistryProfile, find_profile, named_profile
    from registry_fp.protocol.quota import Quota
    from registry_fp.transport.account import (
        BasicCredentials,
        Credentials,
        IdentityToken,
        Keychain,
        RegistryToken,
        first_of,
    )
    from registry_fp.transport.clock import Clock
    from registry_fp.transport.credential import anonymous, static_credentials
    from registry_fp.transport.docker_keychain import docker_keychain
    from registry_fp.transport.host_settings import HostSettings
    from registry_fp.transport.keyring_keychain import keyring_keychain
    from registry_fp.transport.notices import HostQuota, NoticeBook, Notices, RegistryWarning
    from registry_fp.transport.port import Client
    from registry_fp.transport.settings import Settings, read_settings
    from registry_fp.transport.settings_keychain import settings_keychain

__all__ = [
    "FILE_LIMIT",
    "PROFILES",
    "TOPICS",
    "AmbiguousManifest",
    "Annotations",
    "AnyArchive",
    "AnyFile",
    "ArtifactFile",
    "ArtifactOptions",
    "BadReference",
    "BasicCredentials",
    "BlobDone",
    "BlobMoved",
    "BlobStarted",
    "Chunks",
    "Client",
    "Clock",
    "Compression",
    "Conflict",
    "ConnectFailed",
    "ConnectionLost",
    "Copied",
    "CopyOptions",
    "Credentials",
    "DeadlineExceeded",
    "DeletePlan",
    "Denied",
    "Descriptor",
    "Diagnosis",
    "Died",
    "Digest",
    "DigestMismatch",
    "DnsFailed",
    "DockerSave",
    "DoctorOptions",
    "EntryKind",
    "Err",
    "Event",
    "ExecutionConfig",
    "Exported",
    "Family",
    "FileEntry",
    "Finding",
    "History",
    "HostQuota",
    "HostSettings",
    "IdentityToken",
    "ImageConfig",
    "ImageEdit",
    "ImageFault",
    "ImageIndex",
    "ImageManifest",
    "ImageNoun",
    "ImageRead",
    "ImageSource",
    "IndexEdit",
    "Inspected",
    "InspectedImage",
    "InspectedIndex",
    "InspectedLayer",
    "InvalidImage",
    "Keychain",
    "LayerNote",
    "LayoutImage",
    "LimitExceeded",
    "ListedBy",
    "LocalIo",
    "LoggedIn",
    "LoggedOut",
    "MalformedDocument",
    "ManifestStored",
    "MediaType",
    "MediaTypeMismatch",
    "Misconfigured",
    "MissingContent",
    "NoSuchPlatform",
    "NotConfirmed",
    "NotFound",
    "NoticeBook",
    "Notices",
    "OciLayout",
    "Ok",
    "OnEvent",
    "Op",
    "Outcome",
    "Page",
    "Phase",
    "Placed",
    "Platform",
    "PolicyRefused",
    "Problem",
    "ProtocolViolation",
    "PullArtifactOptions",
    "PullOptions",
    "Pulled",
    "PulledArtifact",
    "PulledFile",
    "PushOptions",
    "Pushed",
    "PushedArtifact",
    "PushedBlob",
    "Quota",
    "RangeRejected",
    "RateLimited",
    "RawManifest",
    "Reason",
    "Reference",
    "Refused",
    "RegistryError",
    "RegistryFailed",
    "RegistryProfile",
    "RegistryToken",
    "RegistryWarning",
    "RemoteImage",
    "Repository",
    "RetryPolicy",
    "RewriteOptions",
    "Rewritten",
    "RootFs",
    "SavedImage",
    "SavedLayer",
    "ServerFault",
    "Settings",
    "SeveralFailed",
    "SizeMismatch",
    "SourceChanged",
    "TagNotDeletable",
    "TarFault",
    "TarUnreadable",
    "TimedOut",
    "TlsFailed",
    "TlsFault",
    "Topic",
    "Tree",
    "TreeNode",
    "TreeRole",
    "Unauthenticated",
    "Unsupported",
    "UploadLost",
    "ValidImage",
    "Verdict",
    "anonymous",
    "any_archive",
    "append_layer",
    "attach",
    "blob_size",
    "bracket",
    "choose_platform",
    "connect",
    "consume_blob",
    "convert",
    "copy",
    "copy_all",
    "copy_tags",
    "create_index",
    "deadline",
    "delete",
    "delete_blob",
    "delete_manifest",
    "delete_tag",
    "describe",
    "detach",
    "digest_of",
    "docker_keychain",
    "docker_save",
    "doctor",
    "edit_image",
    "edit_index",
    "exit_code",
    "explain",
    "exponential",
    "export_files",
    "find_profile",
    "first_of",
    "fold",
    "get_blob",
    "get_manifest",
    "has_blob",
    "head_manifest",
    "hint",
    "inspect",
    "is_transient",
    "keyring_keychain",
    "list_files",
    "list_referrers",
    "list_repositories",
    "list_tags",
    "local_platform",
    "login",
    "logout",
    "mount_blob",
    "named_profile",
    "oci_layout",
    "operation",
    "outcome",
    "parse_digest",
    "parse_host",
    "parse_image_config",
    "parse_manifest",
    "parse_platform",
    "parse_reference",
    "parse_repository",
    "ping",
    "plan_delete",
    "pull",
    "pull_artifact",
    "push",
    "push_all",
    "push_artifact",
    "put_blob",
    "put_manifest",
    "read_file",
    "read_settings",
    "referrer_pages",
    "repository_pages",
    "retry",
    "settings_keychain",
    "settle",
    "static_credentials",
    "tag",
    "tag_pages",
    "traverse",
    "traverse_all",
    "tree",
    "unwrap",
    "validate",
    "validate_remote",
]


def __getattr__(name: str) -> Any:
    """Load what is asked for when it is asked for (PEP 562): half of what is here is needed by nobody at once."""
    home = HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = globals()[name] = getattr(import_module(home), name)
    return found


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
