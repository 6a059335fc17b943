"""What crosses the border of `/api/v1` and `/api/v2`: BentoCloud's wire format.

Field for field the attrs classes of `bentoml._internal.cloud.schemas`; a response may carry more than
they name, never less. Their `str` fields show a null as the word "None", so empty ones are `""` here.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timezone
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SerializeAsAny

__all__ = [
    "ApiToken",
    "Bento",
    "BentoManifest",
    "BentoRepository",
    "BentoShape",
    "BentoWithRepository",
    "Cluster",
    "ClusterQuery",
    "Count",
    "CreateApiToken",
    "CreatePackage",
    "CreateRepository",
    "CreateSecret",
    "Deployment",
    "DeploymentRevision",
    "DeploymentTarget",
    "DeploymentsQuery",
    "Done",
    "FinishUpload",
    "Instant",
    "Items",
    "Label",
    "ListOf",
    "ListQuery",
    "LoginCode",
    "LoginToken",
    "Model",
    "ModelManifest",
    "ModelRepository",
    "ModelWithRepository",
    "Organization",
    "Package",
    "Repository",
    "Resource",
    "ResourceInstance",
    "Secret",
    "SecretContent",
    "SecretKey",
    "TokenQuery",
    "TrafficConfig",
    "UpdatePackage",
    "UpdateSecret",
    "User",
]

ItemT = TypeVar("ItemT")


class Wire(BaseModel):
    """Base: fields that one end does not know are dropped."""

    model_config = ConfigDict(extra="ignore")


class Label(Wire):
    """A label."""

    key: str
    value: str


# Requests


def _in_utc(value: datetime | None) -> datetime | None:
    """That time in UTC; without a zone local time is meant."""
    try:
        return None if value is None else value.astimezone(timezone.utc)
    except (OverflowError, OSError, ValueError) as error:
        raise ValueError(f"{value} is out of range") from error


#: A time that somebody sends, in UTC.
Instant = Annotated[datetime, AfterValidator(_in_utc)]


def _utc_is_meant(value: Any) -> Any:
    # The client sends `%Y-%m-%d %H:%M:%S.%f` in UTC and does not say so.
    if isinstance(value, str) and value and not value.endswith("Z") and "+" not in value:
        return f"{value}Z"
    return value or None


#: A list that a client may leave out or send as null.
Items = Annotated[list[ItemT], BeforeValidator(lambda value: [] if value is None else value)]
Text = Annotated[str, BeforeValidator(lambda value: "" if value is None else value)]


class CreateRepository(Wire):
    """Body of `POST /api/v1/{bento,model}_repositories`."""

    name: str
    description: Text = ""


#: Numbers that count something; SQLite's have 64 bits.
Count = Annotated[int, Field(ge=0, le=10**18)]


class ClusterQuery(Wire):
    """Which cluster is meant; there is one."""

    cluster: str = ""


class TokenQuery(Wire):
    """Which login is meant."""

    code: str = ""


class ListQuery(Wire):
    """Which part of a list is meant; `count` absent = as many as the list gives at a time."""

    start: Count = 0
    count: Count | None = None
    search: str = ""
    q: str = ""


class DeploymentsQuery(ListQuery):
    """Which deployments are meant. `q`: words `is:dev`, `label:key`, `label:key=value`, parts of names."""

    cluster: str = ""
    all: str = ""


class Described(BaseModel):
    """Base of what manifests are made of: kept as they came, only what this cloud reads is looked at."""

    model_config = ConfigDict(extra="allow")


class TrafficConfig(Described):
    """`traffic` of a service: what its code says, or what a deployment wants instead."""

    timeout: float | None = Field(None, gt=0, allow_inf_nan=False)
    concurrency: int | None = Field(None, ge=1)
    max_concurrency: int | None = Field(None, ge=1)
    external_queue: bool | None = None


class ManifestConfig(Described):
    """What the code of a service says about it."""

    traffic: TrafficConfig | None = None
    resources: dict[str, Any] | None = None


class ManifestDependency(Described):
    """A service that another one calls."""

    service: str | None = None
    deployment: str | None = None
    url: str | None = None


class ManifestModel(Described):
    """A model that a service loads."""

    tag: str


class ServiceShape(Described):
    """What the cloud reads of a service in a Bento's manifest."""

    name: str
    config: ManifestConfig | None = None
    dependencies: list[str | ManifestDependency] | None = None
    models: list[ManifestModel] | None = None


class ManifestService(ServiceShape):
    """A service in a Bento's manifest."""

    service: str


class ManifestImage(Described):
    """What a Bento's environment is made of."""

    base_image: str | None = None
    python_version: str | float | None = None
    commands: list[str] | None = None
    post_commands: list[str] | None = None
    python_requirements: str | None = None


class ManifestRoute(Described):
    """An endpoint in the schema of a Bento."""

    name: str | None = None
    route: str | None = None
    input: dict[str, Any] | None = None


class ManifestSchema(Described):
    """The schema of a Bento."""

    routes: list[ManifestRoute] | None = None


class BentoShape(Described):
    """What the cloud reads of a Bento's manifest."""

    entry_service: str | None = None
    services: Sequence[ServiceShape] = []
    models: list[str] | None = None
    image: ManifestImage | None = None
    spec: int | None = None
    endpoints: ManifestSchema | None = Field(None, alias="schema")


class BentoManifest(BentoShape):
    """What the client must find again in a Bento's manifest, too: one that lacks it breaks its lists."""

    service: str
    bentoml_version: str
    size_bytes: int
    services: Sequence[ManifestService] = []


class ModelManifest(Described):
    """What client and cloud must find in a model's manifest."""

    module: str
    api_version: str
    bentoml_version: str
    size_bytes: int
    metadata: dict[str, Any] | None = None


class CreatePackage(Wire):
    """Body of `POST .../bentos` and `.../models`."""

    version: str
    description: Text = ""
    manifest: dict[str, Any] | None = None
    build_at: Annotated[datetime | None, BeforeValidator(_utc_is_meant), AfterValidator(_in_utc)] = None
    labels: Items[Label] = []


class UpdatePackage(Wire):
    """Body of `PATCH .../bentos/{version}`; null = as it is."""

    description: str | None = None
    manifest: dict[str, Any] | None = None
    labels: list[Label] | None = None


class PresignPart(Wire):
    """Body of `PATCH .../presign_multipart_upload_url`."""

    upload_id: str
    part_number: int = Field(ge=1)


class CompletedPart(Wire):
    """A part of an upload as its client knows it."""

    part_number: int
    etag: str


class CompleteParts(Wire):
    """Body of `PATCH .../complete_multipart_upload`."""

    upload_id: str
    parts: list[CompletedPart]


class FinishUpload(Wire):
    """Body of `PATCH .../finish_upload`."""

    status: Text = ""
    reason: Text = ""


class CreateApiToken(Wire):
    """Body of `POST /api/v1/api_tokens`. The client's `expired_at` is local time without a zone."""

    name: str = Field(min_length=1, max_length=200)
    description: Text = ""
    scopes: list[str] | None = None
    expired_at: Annotated[datetime | None, AfterValidator(_in_utc)] = None


class SecretItemBody(Wire):
    """A key of a secret as it comes; a value null is kept as it is."""

    key: str
    value: str | None = Field(None, repr=False)
    sub_path: Text = ""


class SecretBody(Wire):
    """What a secret is made of."""

    type: Literal["env", "mountfile"]
    path: Text = ""
    stage: Literal["build", "runtime", "all"] | None = None
    items: list[SecretItemBody]


class UpdateSecret(Wire):
    """Body of `PATCH /api/v1/org_secrets/{name}`; description null = as it is."""

    content: SecretBody
    description: str | None = None


class CreateSecret(UpdateSecret):
    """Body of `POST /api/v1/org_secrets`."""

    name: str


# Responses


class Done(BaseModel):
    """It was done; there is nothing more to say."""


class ListOf(Wire, Generic[ItemT]):
    """A list with the numbers that the client reads."""

    start: int = 0
    count: int
    total: int
    items: list[SerializeAsAny[ItemT]]

    @classmethod
    def page(cls, items: Sequence[ItemT], start: int = 0, count: int | None = None) -> ListOf[ItemT]:
        """A part of `items`: `count` of them (None = all) from `start` on."""
        part = list(items[start:] if count is None else items[start : start + count])
        return cls(start=start, count=len(part), total=len(items), items=part)


class LoginCode(Wire):
    """A code for a browser login."""

    code: str


class LoginToken(Wire):
    """The token of a browser login."""

    token: str


class User(Wire):
    """The owner."""

    name: str
    email: str
    first_name: str = ""
    last_name: str = ""


class Resource(Wire):
    """What everything has."""

    uid: str
    name: str
    resource_type: str
    labels: list[Label] = []
    created_at: datetime
    updated_at: datetime | None = None
    deleted_at: datetime | None = None


class Organization(Resource):
    """The one organization."""

    resource_type: str = "organization"
    description: str = ""


class Cluster(Resource):
    """The one cluster: this machine. `is_first` keeps the printed dashboard links short."""

    resource_type: str = "cluster"
    description: str = ""
    organization_name: str
    creator: User
    is_first: bool = True


class Package(Resource):
    """A Bento or a model. Its `name` is its version: the client builds tags of it."""

    description: str = ""
    version: str
    image_build_status: str = "pending"
    upload_status: str
    upload_finished_reason: str = ""
    presigned_upload_url: str = ""
    presigned_download_url: str = ""
    #: One PUT through us; nothing to presign.
    transmission_strategy: str | None = "proxy"
    upload_id: str = ""
    upload_started_at: datetime | None = None
    upload_finished_at: datetime | None = None
    build_at: datetime


class Bento(Package):
    """A Bento."""

    resource_type: str = "bento"
    manifest: dict[str, Any] | None = None


class Model(Package):
    """A model."""

    resource_type: str = "model"
    manifest: dict[str, Any]


class Repository(Resource):
    """A repository."""

    description: str = ""


class BentoRepository(Repository):
    """A repository of Bentos."""

    resource_type: str = "bento_repository"
    latest_bento: Bento | None = None


class ModelRepository(Repository):
    """A repository of models."""

    resource_type: str = "model_repository"
    latest_model: Model | None = None


class BentoWithRepository(Bento):
    """A Bento with its repository, which the client reads its name from."""

    repository: BentoRepository


class ModelWithRepository(Model):
    """A model with its repository."""

    repository: ModelRepository


class DeploymentTarget(Resource):
    """What a revision runs."""

    resource_type: str = "deployment_revision"
    creator: User
    config: dict[str, Any]
    bento: BentoWithRepository | None
    kube_resource_uid: str = ""
    kube_resource_version: str = ""


class DeploymentRevision(Resource):
    """A revision. With one target, that one is the main one whatever its name."""

    resource_type: str = "deployment_revision"
    creator: User
    status: str
    targets: list[DeploymentTarget]


class Deployment(Resource):
    """A deployment, in lists and alone."""

    resource_type: str = "deployment"
    status: str
    kube_namespace: str = ""
    creator: User
    cluster: Cluster
    latest_revision: DeploymentRevision | None
    manifest: dict[str, Any]
    urls: list[str]


class ResourceInstance(Resource):
    """An instance type."""

    resource_type: str = "resource_instance"
    display_name: str
    description: str
    config: dict[str, Any]


class ApiToken(Resource):
    """A token; its value only in the answer to its creation."""

    resource_type: str = "api_token"
    description: str
    scopes: list[str]
    user: User
    organization: Organization
    expired_at: datetime | None
    last_used_at: datetime | None
    is_expired: bool
    is_api_token: bool = True
    is_organization_token: bool = False
    is_global_access: bool = False
    token: str | None = None


class SecretKey(Wire):
    """A key of a secret, without its value."""

    key: str
    sub_path: str = ""


class SecretContent(Wire):
    """What a secret is made of, without values."""

    type: str
    path: str
    stage: str
    items: list[SecretKey]


class Secret(Resource):
    """A secret."""

    resource_type: str = "secret"
    description: str
    creator: User
    content: SecretContent
    cluster: Cluster
