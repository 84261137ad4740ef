"""registry_fp: push and inspect container images from async Python, with every failure in the type."""

from registry_fp.archive.docker_save import SavedImage, SavedLayer
from registry_fp.archive.source import DockerSave, docker_save
from registry_fp.client import connect
from registry_fp.domain.descriptor import Descriptor
from registry_fp.domain.digest import Digest, digest_of, parse_digest
from registry_fp.domain.errors import (
    AmbiguousManifest,
    BadReference,
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
from registry_fp.domain.media_type import Compression, MediaType
from registry_fp.domain.model import Annotations
from registry_fp.domain.platform import Platform
from registry_fp.domain.reference import Reference, Repository, parse_host, parse_reference, parse_repository
from registry_fp.domain.transient import is_transient
from registry_fp.effect.bracket import Died, bracket
from registry_fp.effect.deadline import deadline
from registry_fp.effect.exits import Err, Ok, RegistryFailed, fold, outcome, settle, unwrap
from registry_fp.effect.operation import Op, operation
from registry_fp.effect.retry import RetryPolicy, exponential, retry
from registry_fp.effect.traverse import traverse, traverse_all
from registry_fp.operations.blobs import consume_blob, delete_blob, get_blob, has_blob, mount_blob, put_blob
from registry_fp.operations.catalog import list_repositories
from registry_fp.operations.manifests import delete_manifest, get_manifest, head_manifest, put_manifest
from registry_fp.operations.ping import ping
from registry_fp.operations.tags import list_tags
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
from registry_fp.pipelines.inspect import Inspected, InspectedImage, InspectedIndex, InspectedLayer, inspect
from registry_fp.pipelines.push import Pushed, PushedBlob, PushOptions, push
from registry_fp.pipelines.push_all import push_all
from registry_fp.pipelines.validate import validate
from registry_fp.protocol.message import Chunks
from registry_fp.transport.clock import Clock
from registry_fp.transport.credential import BasicCredentials, Keychain, anonymous, static_credentials
from registry_fp.transport.port import Client
from registry_fp.transport.settings import HostSettings, Settings, read_settings

__all__ = [
    "AmbiguousManifest",
    "Annotations",
    "BadReference",
    "BasicCredentials",
    "BlobDone",
    "BlobMoved",
    "BlobStarted",
    "Chunks",
    "Client",
    "Clock",
    "Compression",
    "ConnectFailed",
    "ConnectionLost",
    "DeadlineExceeded",
    "Denied",
    "Descriptor",
    "Died",
    "Digest",
    "DigestMismatch",
    "DnsFailed",
    "DockerSave",
    "Err",
    "Event",
    "ExecutionConfig",
    "History",
    "HostSettings",
    "ImageConfig",
    "ImageFault",
    "ImageIndex",
    "ImageManifest",
    "ImageRead",
    "Inspected",
    "InspectedImage",
    "InspectedIndex",
    "InspectedLayer",
    "InvalidImage",
    "Keychain",
    "LimitExceeded",
    "LocalIo",
    "MalformedDocument",
    "ManifestStored",
    "MediaType",
    "MediaTypeMismatch",
    "Misconfigured",
    "NotConfirmed",
    "NotFound",
    "Ok",
    "OnEvent",
    "Op",
    "Outcome",
    "Phase",
    "Platform",
    "PolicyRefused",
    "Problem",
    "ProtocolViolation",
    "PushOptions",
    "Pushed",
    "PushedBlob",
    "RangeRejected",
    "RateLimited",
    "RawManifest",
    "Reason",
    "Reference",
    "Refused",
    "RegistryError",
    "RegistryFailed",
    "Repository",
    "RetryPolicy",
    "RootFs",
    "SavedImage",
    "SavedLayer",
    "ServerFault",
    "Settings",
    "SeveralFailed",
    "SizeMismatch",
    "SourceChanged",
    "TarFault",
    "TarUnreadable",
    "TimedOut",
    "TlsFailed",
    "Unauthenticated",
    "Unsupported",
    "UploadLost",
    "anonymous",
    "bracket",
    "connect",
    "consume_blob",
    "deadline",
    "delete_blob",
    "delete_manifest",
    "describe",
    "digest_of",
    "docker_save",
    "exit_code",
    "explain",
    "exponential",
    "fold",
    "get_blob",
    "get_manifest",
    "has_blob",
    "head_manifest",
    "hint",
    "inspect",
    "is_transient",
    "list_repositories",
    "list_tags",
    "mount_blob",
    "operation",
    "outcome",
    "parse_digest",
    "parse_host",
    "parse_image_config",
    "parse_manifest",
    "parse_reference",
    "parse_repository",
    "ping",
    "push",
    "push_all",
    "put_blob",
    "put_manifest",
    "read_settings",
    "retry",
    "settle",
    "static_credentials",
    "traverse",
    "traverse_all",
    "unwrap",
    "validate",
]
