"""Profiles: what is known of how a registry differs from the specification, as data.

A profile is a set of facts about one kind of registry. Nothing here is needed to talk to a registry: the specification
is what is tried first. A profile saves the failure that would teach the same thing, and what a run learns of a host
refines it. The evidence of each fact stands beside it, as `owner/name#N` for a public thread.

The client acts on `max_body`, `min_chunk`, `max_chunk`, `accepts_chunked`, `needs_length`, `status`, `head`,
`absent_status`, `page_max` and `catalog`, and learns `max_body`, `max_chunk`, `accepts_chunked`, `needs_length` and
`head` by itself. The other facts it bears without knowing them: they are for the registry of `registry_fp.testing`,
which does as its profile says, so that this is proven.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final, Literal, TypeAlias, final

__all__ = ["PROFILES", "LinkShape", "LocationShape", "Mounting", "RegistryProfile", "find_profile", "named_profile"]

LocationShape: TypeAlias = Literal[
    "absolute", "path", "bare", "no-query", "state", "port", "encoded", "fragment", "elsewhere"
]
"""What an upload's Location looks like: a URL, a path, a reference from the answer's own URL on, a URL without a query,
with a `_state` that changes with every chunk, with the port of its scheme, with percent-encoded parts, with a fragment,
or under another path than the repository's."""

LinkShape: TypeAlias = Literal["absolute", "relative", "none"]
"""What names the next page of a list: a URL, a path, or nothing at all (the list is asked on with `last`)."""

Mounting: TypeAlias = Literal["mounts", "opens", "unauthorized", "denied", "absent"]
"""What a mount is answered with: 201, 202 and a session, or a refusal with 401, 403 or 404."""

_MIB: Final = 1024 * 1024


@final
@dataclass(frozen=True, slots=True)
class RegistryProfile:
    """What one kind of registry does; the defaults are a registry that does all that the specification asks for.

    >>> find_profile("123456789012.dkr.ecr.eu-west-1.amazonaws.com").patch_status
    201
    """

    name: str = "plain"
    """What `HostSettings.profile` calls it."""

    hosts: tuple[str, ...] = ()
    """The names of registries that are of this kind, as patterns with `*`; none where no name tells."""

    max_body: int | None = None
    """The most bytes of a blob in one request, a PUT or a PATCH; None is no limit."""

    min_chunk: int = 0
    """The fewest bytes of a chunk that is not the last; the registry says so by `OCI-Chunk-Min-Length`."""

    max_chunk: int | None = None
    """The most bytes of a chunk that has a `Content-Range`; None is what `max_body` says."""

    too_large: Literal[413, 416, "reset"] = 413
    """What a body beyond a limit is answered with: a status, or a connection that is cut."""

    accepts_chunked: bool = True
    """Whether a second chunk is appended to the first; where not, it is lost, and the Range does not advance."""

    needs_length: bool = False
    """Whether a body without a `Content-Length` is refused (411)."""

    patch_status: Literal[201, 202, 204] = 202
    """What a chunk is answered with."""

    range_of: Literal["blob", "chunk", "none"] = "blob"
    """What the Range of an answer to a chunk counts: all of the session, those of the chunk, or it is left out."""

    status: bool = True
    """Whether a session can be asked how far it is (end-13)."""

    location: LocationShape = "absolute"
    """What the Location of a session looks like."""

    mount: Mounting = "mounts"
    """What a mount of a blob that is there is answered with."""

    anonymous_mount: bool = False
    """Whether a blob can be mounted without naming its repository."""

    head: Literal[403, 404, 405] | None = None
    """The status that every HEAD is refused with; None where HEAD is answered like GET."""

    head_digest: bool = True
    """Whether answers carry `Docker-Content-Digest`."""

    absent_status: Literal[401, 403, 404] = 404
    """What is answered for a blob, manifest or repository that is not there."""

    page_max: int | None = None
    """The most entries of one page of a list; None is no limit."""

    refuses_long_pages: bool = False
    """Whether to ask for more entries than `page_max` is an error; where not, fewer are given."""

    link: LinkShape = "absolute"
    """How a list says that it goes on."""

    catalog: bool = True
    """Whether the repositories are listed."""

    tag_delete: bool = True
    """Whether a tag can be deleted (end-9); where not, the answer is 400 `DIGEST_INVALID`."""

    delete: bool = True
    """Whether anything can be deleted; where not, the answer is 405."""

    referrers: bool = True
    """Whether referrers are kept by the registry (end-12); where not, by the tag that stands for them."""

    docker_schema2: bool = True
    """Whether manifests of Docker's own media types are taken."""

    cookies: bool = False
    """Whether it sets a cookie, and refuses (403, CSRF) a write that brings the cookie back."""

    gzip: bool = False
    """Whether blobs are sent under a gzip `Content-Encoding` to who accepts one."""

    api_version: bool = True
    """Whether answers carry `Docker-Distribution-Api-Version`."""


_PLAIN: Final = RegistryProfile()

PROFILES: Final[tuple[RegistryProfile, ...]] = (
    _PLAIN,
    RegistryProfile(
        "docker-hub",
        hosts=("docker.io", "registry-1.docker.io", "index.docker.io"),
        catalog=False,  # docker/hub-feedback#2094
        location="state",  # distribution/distribution#1723
    ),
    RegistryProfile(
        "ghcr",
        hosts=("ghcr.io", "containers.pkg.github.com"),
        location="path",  # apple/swift-container-plugin#44
        max_chunk=4 * _MIB,  # ocx-sh/ocx#237, openai/tart#159
        too_large=416,  # ocx-sh/ocx#237
        catalog=False,  # microsoft/vscode-docker#1525
    ),
    RegistryProfile(
        "ecr",
        hosts=("*.dkr.ecr.*.amazonaws.com", "*.dkr.ecr.*.amazonaws.com.cn", "public.ecr.aws"),
        accepts_chunked=False,  # aws/containers-roadmap#2831: the Range stays at the first chunk, kept or not
        patch_status=201,  # aws/containers-roadmap#2831
        status=False,  # apple/containerization#790
        head_digest=False,  # distribution/distribution#3792
        page_max=1000,  # google/go-containerregistry#1091
        refuses_long_pages=True,  # google/go-containerregistry#1091
        catalog=False,
    ),
    RegistryProfile(
        "acr",
        hosts=("*.azurecr.io", "*.azurecr.cn", "*.azurecr.us"),
        location="path",  # Azure/azure-sdk-for-net#32059
        # Azure/azure-sdk-for-net#32059, dotnet/sdk-container-builds#258: a large body is closed on; nobody says from
        # which size, and this one is known to pass.
        max_body=20 * _MIB,
        too_large="reset",  # dotnet/sdk-container-builds#258
        status=False,  # Azure/azure-sdk-for-python#29738: a session is lost (404) after a failure
    ),
    RegistryProfile(
        "gar",
        hosts=("*.pkg.dev", "gcr.io", "*.gcr.io"),
        location="elsewhere",  # oras-project/oras-java#319, oras-project/rust-oci-client#175
        catalog=False,  # davedoesdev/dxf#28
    ),
    RegistryProfile(
        "quay",
        hosts=("quay.io",),
        max_body=20 * 1024 * _MIB,  # oras-project/oras-py#137
        needs_length=False,  # google/go-containerregistry#1193: taken, and slow; lengths are preferred anyway
        link="relative",  # deitch/docker_registry2#56
    ),
    RegistryProfile(
        "harbor",
        mount="unauthorized",  # goharbor/harbor#17097
        cookies=True,  # goharbor/harbor#12676, dotnet/sdk#37221
    ),
    RegistryProfile(
        "artifactory",
        hosts=("*.jfrog.io",),
        absent_status=403,  # google/go-containerregistry#1691, sigstore/cosign#2973
    ),
    RegistryProfile(
        "nexus",
        head_digest=False,  # distribution/distribution#3849
        link="none",  # sonatype/nexus-public#117, #209
        api_version=False,
        referrers=False,
    ),
    RegistryProfile(
        "gitlab",
        hosts=("registry.gitlab.com",),
        mount="unauthorized",  # estesp/manifest-tool#53
        location="state",  # distribution/distribution#1723
        catalog=False,
    ),
    RegistryProfile(
        "redhat",
        hosts=("registry.access.redhat.com", "registry.redhat.io"),
        head_digest=False,  # containerd/containerd#3238
        gzip=True,  # quay/quay#1310
        delete=False,
    ),
    RegistryProfile(
        "zot",
        docker_schema2=False,  # knative/func#2721
        location="path",  # project-zot/zot#574
    ),
    RegistryProfile(
        "distribution-2",
        location="state",  # distribution/distribution#1723
        tag_delete=False,  # google/go-containerregistry#1578
        referrers=False,
        anonymous_mount=False,
    ),
    RegistryProfile("distribution-3", location="state", referrers=False, page_max=1000, refuses_long_pages=True),
    RegistryProfile(
        "gitea",
        location="path",
        status=True,  # go-gitea/gitea#34795: its `0-0` is for an empty session too
        referrers=False,
    ),
    RegistryProfile(
        "aliyun",
        hosts=("registry.*.aliyuncs.com", "*.*.cr.aliyuncs.com"),
        range_of="chunk",  # regclient/regclient#627
        location="state",
        catalog=False,
    ),
    RegistryProfile(
        "cloudflare",
        hosts=("registry.cloudflare.com",),
        max_body=100 * 1000 * 1000,  # regclient/regclient#1028: what a site behind its proxy takes
    ),
)
"""The kinds of registries that something is known of; the first is a plain one."""


def find_profile(host: str) -> RegistryProfile:
    """The profile of a registry, by `HOST[:PORT]`; a plain one where the name tells nothing.

    >>> find_profile("ghcr.io").name, find_profile("ghcr.io:443").name, find_profile("localhost:5000").name
    ('ghcr', 'ghcr', 'plain')
    """
    name = host.lower().removesuffix(":443")
    return next((each for each in PROFILES if any(fnmatchcase(name, pattern) for pattern in each.hosts)), _PLAIN)


def named_profile(name: str) -> RegistryProfile | None:
    """The profile that is called this; None for a name that is none's.

    >>> [named_profile("zot").docker_schema2, named_profile("nobody")]
    [False, None]
    """
    return next((each for each in PROFILES if each.name == name), None)
