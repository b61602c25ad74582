"""Settings of a stage: typed, frozen, and checked as a whole before anything is built.

A stage's settings come from `context.stages` in cdk.json, or from a JSON file of the same shape
(`{"<stage>": {...}, ...}`). Every fault of every stage is reported at once.
"""

import re
from collections.abc import Mapping
from enum import StrEnum
from ipaddress import IPv4Network
from typing import Annotated, Any, Final, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from contract.launch_bucket import LAUNCH_BUCKET_PREFIXES

BUILD: Final = "build"
"""Instead of an image's URI: build containers/<workflow> and publish it with the app."""

# Graviton families have a "g" among the letters after the generation (m7g, c7gn, im4gn); a1 was the first.
_GRAVITON: Final = re.compile(r"^(a1|[a-z]+\d+[a-z]*g[a-z]*)(\.|$)")
_INSTANCE_TYPE: Final = re.compile(r"^[a-z][a-z0-9-]*\d[a-z0-9-]*(\.[a-z0-9-]+)?$")

# What CloudWatch Logs takes for PutRetentionPolicy.
_RETENTION_DAYS: Final = frozenset(
    {1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}
)

_CONNECTION: Final = (
    r"^arn:aws[a-z-]*:(codeconnections|codestar-connections):[a-z0-9-]+:\d{12}:connection/[0-9a-f-]{36}$"
)

_KEY: Final = r"^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/[A-Za-z0-9-]+$"

BucketName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")]


def _check_partition(region: str) -> str:
    """Regions of China, GovCloud and the isolated ones are other partitions (AWS General Reference, "Amazon Resource
    Names"), where all ARNs begin otherwise: every state machine names services as arn:aws:states."""
    if re.match(r"(cn|us-gov|us-iso[a-z]*|eu-iso[a-z]*|eusc[a-z-]*)-", region):
        raise ValueError(f"{region} is no region of the partition aws, and Genolaunch is made for that alone")
    return region


Region = Annotated[str, Field(pattern=r"^[a-z]{2}(-[a-z]+)+-\d$"), AfterValidator(_check_partition)]
Email = Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")]


class InvalidSettingsError(ValueError):
    """The stages' settings have faults; the message has one line for each."""


class FileSystemType(StrEnum):
    """FSx for Lustre deployment types that can be linked with S3 by several associations."""

    SCRATCH_2 = "SCRATCH_2"
    PERSISTENT_2 = "PERSISTENT_2"


class PricingSource(StrEnum):
    """Whether prices of launches are compared with what AWS billed the stage."""

    LIST_PRICES = "list_prices"
    COST_EXPLORER = "cost_explorer"  # two days later; a request costs 0.01 USD, and the tags must be activated


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


MOST_ZONES: Final = 4
"""Of a stage: its network keeps addresses for as many, so that a zone may be added."""


class NetworkSettings(_Settings):
    """Address range of the stage's VPC, its ways out, and what is recorded of its traffic."""

    cidr: str = Field(
        default="10.40.0.0/16", description="the VPC's addresses, /16 to /24: apart from what it is peered with"
    )
    nat_gateways: int = Field(default=1, ge=1, description="that the zones share")
    interface_endpoints: tuple[Annotated[str, Field(pattern=r"^[a-z0-9.-]+$")], ...] = Field(
        default=(),
        description="services that jobs reach without NAT, by the end of com.amazonaws.REGION.SERVICE: ecr.api",
    )
    flow_logs: Literal["REJECT", "ALL"] = Field(default="REJECT", description="traffic that is recorded")

    @field_validator("cidr")
    @classmethod
    def _is_a_vpc_range(cls, cidr: str) -> str:
        prefix = IPv4Network(cidr).prefixlen
        if not 16 <= prefix <= 24:
            raise ValueError(f"/{prefix} is no size for the VPC: /16 (largest that AWS allows) to /24")
        return cidr


class BatchSettings(_Settings):
    """Elastic compute: of each zone's two environments, Spot and On-Demand, and of the two for Snakemake's jobs."""

    max_vcpus: int = Field(
        default=256, ge=2, description="of one compute environment; each zone has two, and Snakemake's jobs have two"
    )
    # Intel's alone: MKL, with which the regenie image is built, takes other instructions on AMD's processors, and sums
    # may then differ in the last digit (Intel oneMKL developer guide, "Obtaining Numerically Reproducible Results").
    instance_types: tuple[str, ...] = Field(
        default=("m6i", "m7i", "c6i", "r6i"), min_length=1, description="families or types, best of one vendor"
    )
    machine_images: Mapping[Literal["x86_64"], Annotated[str, Field(pattern=r"^(ami-[0-9a-f]{8,17}|/[\w./-]+)$")]] = (
        Field(
            default_factory=dict,
            description="architecture -> an AMI made from the ECS-optimized Amazon Linux 2023 with lustre-client and "
            "autofs, by its id or by the SSM parameter that holds it; Batch's newest without",
        )
    )
    session_manager: bool = Field(default=True, description="hosts of jobs can be looked into by Systems Manager")
    spot_price_percent: int = Field(default=100, ge=1, le=100, description="of the On-Demand price, at most")
    volume_gib: int = Field(default=100, ge=30, le=16384, description="an instance's encrypted gp3 volume")
    stuck_minutes: int = Field(default=60, ge=10, le=1440, description="a job that cannot start is cancelled after")

    @field_validator("instance_types")
    @classmethod
    def _are_x86(cls, types: tuple[str, ...]) -> tuple[str, ...]:
        unknown = [name for name in types if not _INSTANCE_TYPE.match(name)]
        arm = [name for name in types if _GRAVITON.match(name)]
        if unknown:
            raise ValueError(f"not an instance family or type: {', '.join(unknown)}")
        if arm:
            raise ValueError(f"the regenie image is x86-64 (it uses Intel's MKL), these are ARM: {', '.join(arm)}")
        return types


class RegenieLimits(_Settings):
    """What the stage's regenie can do where it is not the whole program: launches that need more are refused."""

    options: tuple[str, ...] = Field(min_length=1, description="names of the options that it has, such as --qt")
    remedy: str = Field(min_length=1, description="what to do about a launch that needs others, for its author")


class RegenieSettings(_Settings):
    """Versions of regenie that launches may name: version -> "build" or the URI of an image."""

    versions: Mapping[str, str] = Field(
        min_length=1, max_length=8, description='version -> "build", or the URI of an image that has it'
    )
    default_version: str = Field(description="of launches that name none")
    limits: RegenieLimits | None = Field(
        default=None, description="what the stage's regenie can do, where it is not the whole program"
    )

    @model_validator(mode="after")
    def _default_is_a_version(self) -> Self:
        if self.default_version not in self.versions:
            raise ValueError(f"default_version {self.default_version} is not one of: {', '.join(self.versions)}")
        return self


class RestoreSettings(_Settings):
    """How archived inputs are restored, and what a launch may restore unasked."""

    mixed_tier: Literal["Bulk", "Standard"] = Field(
        default="Bulk", description="of a launch whose inputs are not all in Glacier Flexible Retrieval"
    )
    days: int = Field(default=10, ge=1, le=365, description="restored copies are kept; longer than a launch reads them")
    approval_above_gib: int = Field(default=10_240, ge=0, description="to retrieve: more waits for a person")
    approval_above_usd: float = Field(default=100, ge=0, description="of the estimate: more waits for a person")


class TibannaSettings(_Settings):
    """Tibanna's state machine, its functions, and the instances that it starts for Snakemake's jobs."""

    table: Literal["create", "import"] = Field(
        default="create", description="`tibanna-master`: one for an account and region; `import` where it exists"
    )
    # An instance fetches its start script as root from a public repository of GitHub: mirror it, and name your commit.
    scripts_repository: str = Field(
        default="4dn-dcic/tibanna",
        pattern=r"^[\w.-]+/[\w.-]+$",
        description="public, on GitHub: instances fetch their start script from it as root",
    )
    scripts_commit: str = Field(default="c8c49eab", pattern=r"^[0-9a-f]{7,40}$", description="a branch would move")
    ami_id: str | None = Field(
        default=None,
        pattern=r"^ami-[0-9a-f]{8,17}$",
        description="Ubuntu with Docker, x86-64; Tibanna's own is of 2021",
    )
    awsf_image: str = Field(
        default=BUILD,
        min_length=1,
        description="which runs the job's container: \"build\" copies 4dndcic/tibanna-awsf:6.1.0 into the stage's "
        "own repository, or the URI of an image",
    )
    poll_seconds: int = Field(default=30, ge=30, le=60, description="between two looks at a job")
    job_timeout_hours: int = Field(default=24, ge=1, description="of one submission of one job")
    require_encrypted_volumes: bool = Field(
        default=True, description="refuse instances in an account whose volumes are not encrypted by default"
    )

    @model_validator(mode="after")
    def _fits_an_executions_history(self) -> Self:
        # Step Functions ends an execution after 25,000 events, and a look at a job is three; some are for its ends.
        most = 24_000 // 3 * self.poll_seconds // 3600
        if self.job_timeout_hours > most:
            raise ValueError(
                f"job_timeout_hours {self.job_timeout_hours}: at most {most} with poll_seconds {self.poll_seconds} "
                "(an execution's history has room for so many looks)"
            )
        return self


_FARGATE_MEMORY: Final = {512: (1024, 4096), 1024: (2048, 8192), 2048: (4096, 16384), 4096: (8192, 30720)}
"""CPU units -> least and most MiB, in steps of 1,024 (Amazon ECS developer guide, "Fargate task definition")."""


class SnakemakeSettings(_Settings):
    """The launcher of Snakemake launches: an ECS task on Fargate for each launch that runs."""

    image: str = Field(default=BUILD, description='of launchers: "build", or the URI of an image')
    batch_image: str = Field(default=BUILD, description="of jobs of the engine aws-batch for which launches name none")
    cpu: Literal[512, 1024, 2048, 4096] = Field(default=1024, description="CPU units, 1,024 to a vCPU")
    memory_mib: int = Field(default=4096, description="the graph of a large workflow takes gigabytes")

    @model_validator(mode="after")
    def _is_a_size_of_fargate(self) -> Self:
        least, most = _FARGATE_MEMORY[self.cpu]
        if not least <= self.memory_mib <= most or self.memory_mib % 1024:
            raise ValueError(
                f"memory_mib {self.memory_mib}: with cpu {self.cpu} Fargate takes {least} to {most} by 1024"
            )
        return self


class ParallelClusterSettings(_Settings):
    """An existing AWS ParallelCluster with Slurm, on which launches may run (docs/parallelcluster.md)."""

    cluster: str = Field(
        pattern=r"^[a-zA-Z][a-zA-Z0-9-]{0,59}$", description="its name, by which it tags its head node"
    )
    shared_folder: str = Field(
        pattern=r"^(/[A-Za-z0-9._-]+)+$", description="on a file system of all nodes; belongs to `user`"
    )
    user: str = Field(pattern=r"^[a-z_][a-z0-9_-]{0,31}$", description="as whom jobs run")
    partition: str = Field(pattern=r"^[A-Za-z0-9_-]+$", description="Slurm's, for launches' jobs")
    on_demand_partition: str | None = Field(
        default=None, pattern=r"^[A-Za-z0-9_-]+$", description="for jobs that lost their Spot node twice"
    )
    container: Literal["apptainer", "none"] = Field(
        default="apptainer", description="what runs the image; none: the nodes have regenie and regenie_runner"
    )
    most_array_jobs: int = Field(default=1000, ge=1, le=10_000, description="of one array: Slurm's MaxArraySize less 1")


class UpstreamRegistry(StrEnum):
    """Registries that ECR's pull-through cache knows, and that images of genomics are in, by their hosts' names."""

    DOCKER_HUB = "docker.io"
    GITHUB = "ghcr.io"
    QUAY = "quay.io"
    ECR_PUBLIC = "public.ecr.aws"

    @property
    def needs_login(self) -> bool:
        """ECR asks for a secret to cache it (Amazon ECR user guide, "Creating a pull through cache rule")."""
        return self in (UpstreamRegistry.DOCKER_HUB, UpstreamRegistry.GITHUB)

    @property
    def folder(self) -> str:
        """Last component of the cache's prefix. Short: ECR takes 30 characters of prefix, a stage's name 23 of them."""
        return {"docker.io": "docker", "ghcr.io": "ghcr", "quay.io": "quay", "public.ecr.aws": "public"}[self]


_CredentialArn = Annotated[str, Field(pattern=r"^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:[\w/+=.@-]+$")]


class PullThroughSettings(_Settings):
    """A registry of others whose images the stage pulls through a cache of its own."""

    registry: UpstreamRegistry
    credential_arn: _CredentialArn | None = Field(
        default=None, description="with `username` and `accessToken`; Docker Hub and GitHub ask for it"
    )

    @model_validator(mode="after")
    def _has_its_credential(self) -> Self:
        if self.registry.needs_login and self.credential_arn is None:
            raise ValueError(f"{self.registry} can be cached with a credential_arn only")
        if self.credential_arn and ":secret:ecr-pullthroughcache/" not in self.credential_arn:
            raise ValueError("ECR reads only secrets whose names start with ecr-pullthroughcache/")
        return self


class ImagesSettings(_Settings):
    """Where the stage's images are kept, and where those of others come from (docs/images.md)."""

    pull_through: tuple[PullThroughSettings, ...] = Field(
        default=(), description="registries that are cached: the Dockerfiles' own images then come from there too"
    )

    registry_credentials: Mapping[Annotated[str, Field(pattern=r"^[a-z0-9.-]+(:\d+)?$")], _CredentialArn] = Field(
        default_factory=dict,
        max_length=4,
        description="private registry -> secret with `username` and `password`, for Batch's jobs",
    )
    inspector: bool = Field(
        default=False, description="Amazon Inspector is on in the account, for ECR and Lambda: its bills are kept too"
    )

    @field_validator("pull_through")
    @classmethod
    def _names_each_once(cls, rules: tuple[PullThroughSettings, ...]) -> tuple[PullThroughSettings, ...]:
        if len({rule.registry for rule in rules}) < len(rules):
            raise ValueError("a registry is named twice")
        return rules

    @property
    def cached(self) -> frozenset[UpstreamRegistry]:
        """The registries that are pulled through a cache."""
        return frozenset(rule.registry for rule in self.pull_through)


class StageSettings(_Settings):
    """Everything that differs between stages.

    Lists have a most: what the functions must know of them stands in their environments, which have 4 KB
    (tests/infrastructure/test_environments.py).
    """

    name: str = Field(pattern=r"^[a-z][a-z0-9]{0,11}$", description="short: function names have it and 64 characters")
    account: str = Field(pattern=r"^\d{12}$", description="AWS account to which it is deployed")
    region: Region = Field(description="AWS region to which it is deployed")
    zones: tuple[str, ...] = Field(
        min_length=1,
        max_length=MOST_ZONES,
        description="each gets subnets, compute environments and queues; later ones are added at the end, and only the "
        "last may go",
    )
    network: NetworkSettings = NetworkSettings()
    batch: BatchSettings = BatchSettings()
    regenie: RegenieSettings
    restore: RestoreSettings = RestoreSettings()
    tibanna: TibannaSettings = TibannaSettings()
    snakemake: SnakemakeSettings = SnakemakeSettings()
    parallelcluster: ParallelClusterSettings | None = Field(
        default=None, description="launches may say `compute: parallelcluster`; without it nothing is made for that"
    )
    images: ImagesSettings | None = Field(
        default=None, description="repositories of the stage's own; without it images go to the CDK bootstrap's"
    )
    pricing: PricingSource = PricingSource.LIST_PRICES
    file_system: FileSystemType = FileSystemType.SCRATCH_2
    launches_at_once: int = Field(
        default=50, ge=1, le=500, description="more wait in a queue; an account may have 100 scratch file systems"
    )
    job_timeout_hours: int = Field(default=24, ge=1, le=336, description="of one attempt of one job; at most 14 days")
    sweep_grace_minutes: int = Field(
        default=60, ge=0, description="age at which the sweep takes leftovers for forgotten"
    )
    log_retention_days: int = Field(default=30, description="of all log groups; a number that CloudWatch Logs takes")
    removal_policy: Literal["retain", "destroy"] = Field(
        default="retain", description="what becomes of buckets, tables and keys when the stage is deleted"
    )
    backup_days: int | None = Field(
        default=None, ge=1, description="daily backups of tables and small buckets are kept for so long; none without"
    )
    key_arn: str | None = Field(
        default=None,
        pattern=_KEY,
        description="an existing key to use; its policy must allow what docs/security.md lists",
    )
    permissions_boundary: str | None = Field(
        default=None,
        pattern=r"^[\w+=,.@-]{1,128}$",
        description="name of the policy that bounds every role made here, those of launches too",
    )
    notification_emails: tuple[Email, ...] = Field(default=(), description="told of alarms, and of what launches tell")
    four_eyes_approval: bool = Field(
        default=False,
        description="who asked for a launch, a retry or another config of it may not approve its cost or restore;"
        " nobody writes into the launch table by hand",
    )
    teams: tuple[Annotated[str, Field(pattern=r"^[a-z][a-z0-9]{0,11}$")], ...] = Field(
        default=(),
        max_length=50,
        description="that are kept apart by the session tag `team` (docs/security.md)",
    )
    readable_buckets: tuple[BucketName, ...] = Field(
        default=(), max_length=20, description="launches may read these besides the data bucket"
    )
    writable_buckets: tuple[BucketName, ...] = Field(
        default=(),
        max_length=20,
        description="Snakemake launches may have their `data` in these besides the data bucket",
    )

    bucket_key_arns: tuple[Annotated[str, Field(pattern=_KEY)], ...] = Field(
        default=(), description="of the customer keys that encrypt those buckets; docs/security.md says who uses them"
    )

    @field_validator("zones")
    @classmethod
    def _are_in_the_region(cls, zones: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        region = info.data.get("region", "")
        if elsewhere := [zone for zone in zones if not zone.startswith(region)]:
            raise ValueError(f"not in {region}: {', '.join(elsewhere)}")
        if len(set(zones)) < len(zones):
            raise ValueError("a zone is named twice")
        return zones

    @field_validator("teams")
    @classmethod
    def _are_teams(cls, teams: tuple[str, ...]) -> tuple[str, ...]:
        if "unassigned" in teams:
            raise ValueError("no team may be called unassigned: ids of what belongs to no team start so")
        if folders := [team for team in teams if f"{team}/" in LAUNCH_BUCKET_PREFIXES]:
            raise ValueError(f"no team may be called {', '.join(folders)}: the launch bucket has a folder of that name")
        if len(set(teams)) < len(teams):
            raise ValueError("a team is named twice")
        return teams

    @field_validator("log_retention_days")
    @classmethod
    def _is_a_retention(cls, days: int) -> int:
        if days not in _RETENTION_DAYS:
            raise ValueError(f"CloudWatch Logs keeps logs for one of these numbers of days: {sorted(_RETENTION_DAYS)}")
        return days

    @model_validator(mode="after")
    def _gateways_fit_the_zones(self) -> Self:
        if self.network.nat_gateways > len(self.zones):
            raise ValueError(f"network.nat_gateways: {self.network.nat_gateways} for {len(self.zones)} zone(s)")
        return self

    @property
    def prefix(self) -> str:
        """Start of every name that is given and not generated: `genolaunch-<stage>`."""
        return f"genolaunch-{self.name}"


class DeliverySettings(_Settings):
    """The pipeline: where it lives, what it watches, and which stages it deploys in which order."""

    account: str = Field(pattern=r"^\d{12}$", description="in which the pipeline is")
    region: Region = Field(description="in which the pipeline is")
    repository: str = Field(
        pattern=r"^[^/\s]+/[^\s]+$", description="owner/name, as the connection's provider knows it"
    )
    branch: str = Field(default="main", description="each commit to it is delivered")
    connection_arn: str = Field(pattern=_CONNECTION, description="CodeConnections' connection to the repository")
    stages: tuple[str, ...] = Field(min_length=1, description="in the order of their deployment")
    smoke_tested: tuple[str, ...] = Field(default=(), description="a tiny launch must end COMPLETE after deployment")
    approved: tuple[str, ...] = Field(default=(), description="a person must say yes before deployment")
    notification_emails: tuple[Email, ...] = Field(default=(), description="told of failed deliveries and approvals")
    parallel_publishing: bool = Field(
        default=False,
        description="a build for each function's code and each image instead of two builds; some 20 run at once, "
        "which a new account's CodeBuild quota refuses",
    )

    @model_validator(mode="after")
    def _names_its_own_stages(self) -> Self:
        unknown = sorted({*self.smoke_tested, *self.approved} - set(self.stages))
        if unknown:
            raise ValueError(f"smoke_tested and approved name what is not in stages: {', '.join(unknown)}")
        return self


class ProductSettings(_Settings):
    """Genolaunch as a product of AWS Service Catalog (docs/governance.md)."""

    repository_url: str = Field(pattern=r"^https://\S+$", description="from which releases are fetched")
    provider: Literal["GITHUB", "GITHUB_ENTERPRISE", "GITLAB", "GITLAB_SELF_MANAGED", "BITBUCKET"] = Field(
        default="GITHUB", description="CodeBuild's name of where the repository is"
    )
    connection_arn: str = Field(pattern=_CONNECTION, description="CodeConnections' connection to it")
    releases: tuple[Annotated[str, Field(pattern=r"^[A-Za-z0-9][\w.-]*$")], ...] = Field(
        min_length=1, description="tags of the repository, each a version of the product"
    )
    stages: tuple[str, ...] = Field(min_length=1, description="to which it may be deployed")
    principals: tuple[Annotated[str, Field(pattern=r"^arn:aws[a-z-]*:iam::\d{12}:role/\S+$")], ...] = Field(
        min_length=1, description="roles that may deploy it"
    )
    owner: str = Field(default="Genolaunch's platform team", min_length=1, description="as the catalog shows it")
    support_email: Email | None = Field(default=None, description="as the catalog shows it")


class GovernanceSettings(_Settings):
    """Where events about Genolaunch's Service Catalog product are collected, and where it is published."""

    account: str = Field(pattern=r"^\d{12}$", description="in which the events are collected")
    region: Region = Field(description="in which the events are collected")
    accounts: tuple[Annotated[str, Field(pattern=r"^\d{12}$")], ...] = Field(
        default=(), description="other accounts, which forward their events"
    )
    product: ProductSettings | None = Field(default=None, description="without it no product is published")


def read_governance(raw: object, stages: Mapping[str, StageSettings]) -> GovernanceSettings:
    """Check the settings of what is for all accounts (`context.governance`).

    Raises:
        InvalidSettingsError: with one line for each fault.
    """
    try:
        governance = GovernanceSettings.model_validate(raw)
    except ValidationError as error:
        faults = [_describe("governance", fault) for fault in error.errors()]
        raise InvalidSettingsError("The settings of governance have faults:\n  " + "\n  ".join(faults)) from error
    allowed = governance.product.stages if governance.product else ()
    if unknown := [name for name in allowed if name not in stages]:
        raise InvalidSettingsError(f"governance.product.stages: not configured: {', '.join(unknown)}")
    return governance


def read_delivery(raw: object, stages: Mapping[str, StageSettings]) -> DeliverySettings:
    """Check the pipeline's settings (`context.delivery` in cdk.json).

    Raises:
        InvalidSettingsError: with one line for each fault.
    """
    try:
        delivery = DeliverySettings.model_validate(raw)
    except ValidationError as error:
        faults = [_describe("delivery", fault) for fault in error.errors()]
        raise InvalidSettingsError("The pipeline's settings have faults:\n  " + "\n  ".join(faults)) from error
    if unknown := [name for name in delivery.stages if name not in stages]:
        raise InvalidSettingsError(f"delivery.stages: not configured: {', '.join(unknown)}")
    if apart := [name for name in delivery.smoke_tested if stages[name].teams]:
        raise InvalidSettingsError(f"delivery.smoke_tested: launches of these belong to a team: {', '.join(apart)}")
    return delivery


def read_stages(raw: object) -> dict[str, StageSettings]:
    """Check the stages' settings.

    Args:
        raw: `{"<stage>": {settings}, ...}` as JSON gave it.

    Raises:
        InvalidSettingsError: with one line for each fault of each stage.
    """
    if not isinstance(raw, Mapping) or not raw:
        raise InvalidSettingsError('No stages: expected {"<stage>": {settings}, ...} (see cdk.json, context.stages).')
    stages: dict[str, StageSettings] = {}
    faults: list[str] = []
    for name, settings in raw.items():
        try:
            stages[name] = StageSettings.model_validate(_with_name(name, settings))
        except ValidationError as error:
            faults += [_describe(name, fault) for fault in error.errors()]
    if faults:
        raise InvalidSettingsError("The stages' settings have faults:\n" + "\n".join(f"  {fault}" for fault in faults))
    return stages


def _with_name(name: str, settings: object) -> object:
    return {**settings, "name": name} if isinstance(settings, Mapping) else settings


def _describe(stage: str, fault: Any) -> str:  # noqa: ANN401 - pydantic's ErrorDetails lives in its private core package
    where = ".".join(str(part) for part in (stage, *fault["loc"]))
    return f"{where}: {fault['msg'].removeprefix('Value error, ')}"
