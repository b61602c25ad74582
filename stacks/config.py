"""Models of the settings: of stages, of the pipeline, and of governance. They are checked before anything is built.

A stage's settings come from `context.stages` in cdk.json, or from a JSON file of the same shape
(`{"<stage>": {...}, ...}`). All faults of all stages are reported at once. The descriptions here become
docs/settings.md (`make reference`).
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

from genolaunch.contract.launch_bucket import LAUNCH_BUCKET_PREFIXES

BUILD: Final = "build"
"""Given instead of an image's URI: build containers/<workflow>, and publish the image with the app."""

# Graviton families have a "g" among the letters after the generation (m7g, c7gn, im4gn); a1 was the first.
_GRAVITON: Final = re.compile(r"^(a1|[a-z]+\d+[a-z]*g[a-z]*)(\.|$)")
_INSTANCE_TYPE: Final = re.compile(r"^[a-z][a-z0-9-]*\d[a-z0-9-]*(\.[a-z0-9-]+)?$")

# The values that CloudWatch Logs accepts in PutRetentionPolicy.
_RETENTION_DAYS: Final = frozenset(
    {1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}
)

_CONNECTION: Final = (
    r"^arn:aws[a-z-]*:(codeconnections|codestar-connections):[a-z0-9-]+:\d{12}:connection/[0-9a-f-]{36}$"
)

_KEY: Final = r"^arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:key/[A-Za-z0-9-]+$"

BucketName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")]


def _check_partition(region: str) -> str:
    """Refuse regions of China, GovCloud and the isolated partitions. ARNs begin differently there (AWS General
    Reference, "Amazon Resource Names"), and every state machine names services as arn:aws:states."""
    if re.match(r"(cn|us-gov|us-iso[a-z]*|eu-iso[a-z]*|eusc[a-z-]*)-", region):
        raise ValueError(f"{region} is not in the partition aws, the only one that Genolaunch supports")
    return region


Region = Annotated[str, Field(pattern=r"^[a-z]{2}(-[a-z]+)+-\d$"), AfterValidator(_check_partition)]
Email = Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")]


class InvalidSettingsError(ValueError):
    """The settings have faults. The message has one line for each."""


class FileSystemType(StrEnum):
    """Deployment type of the launches' FSx for Lustre file systems: those that take several data repository
    associations."""

    SCRATCH_2 = "SCRATCH_2"
    PERSISTENT_2 = "PERSISTENT_2"


class PricingSource(StrEnum):
    """How launches are priced: by list prices, or by list prices that are compared with AWS's bill of the stage later
    (cost_explorer)."""

    LIST_PRICES = "list_prices"
    COST_EXPLORER = "cost_explorer"  # two days later; a request costs 0.01 USD, and the tags must be activated


class _Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


MOST_ZONES: Final = 4
"""Most zones of a stage. Its network reserves addresses for so many, so that a zone can be added later."""


class NetworkSettings(_Settings):
    """The stage's VPC: its addresses, its ways to the internet and to services, and its flow logs."""

    cidr: str = Field(
        default="10.40.0.0/16",
        description="Address range of the VPC, /16 to /24. Must not overlap with networks that it is peered with.",
    )
    nat_gateways: int = Field(
        default=1, ge=1, description="Number of NAT gateways, which the zones share; at most one per zone."
    )
    interface_endpoints: tuple[Annotated[str, Field(pattern=r"^[a-z0-9.-]+$")], ...] = Field(
        default=(),
        description="Services that get an interface endpoint, so that jobs reach them without NAT. Write the last part "
        "of com.amazonaws.REGION.SERVICE, such as ecr.api.",
    )
    flow_logs: Literal["REJECT", "ALL"] = Field(
        default="REJECT", description="Traffic that flow logs record: rejected traffic, or all."
    )

    @field_validator("cidr")
    @classmethod
    def _is_a_vpc_range(cls, cidr: str) -> str:
        prefix = IPv4Network(cidr).prefixlen
        if not 16 <= prefix <= 24:
            raise ValueError(f"/{prefix} is not a size for the VPC: give /16 (the largest that AWS allows) to /24")
        return cidr


class BatchSettings(_Settings):
    """AWS Batch's compute environments: in each zone one for Spot and one for On-Demand instances, and two more for
    Snakemake's jobs."""

    max_vcpus: int = Field(
        default=256,
        ge=2,
        description="Most vCPUs of one compute environment. Each zone has two environments, and Snakemake's jobs have "
        "two more.",
    )
    # The default has Intel processors only: the regenie image is built with MKL, which uses other instructions on AMD,
    # so that sums may differ in the last digit (Intel oneMKL developer guide, "Obtaining Numerically Reproducible
    # Results").
    instance_types: tuple[str, ...] = Field(
        default=("m6i", "m7i", "c6i", "r6i"),
        min_length=1,
        description="Instance families or types, x86-64. Choose those of one vendor: results may differ in the last "
        "digit between Intel and AMD.",
    )
    machine_images: Mapping[Literal["x86_64"], Annotated[str, Field(pattern=r"^(ami-[0-9a-f]{8,17}|/[\w./-]+)$")]] = (
        Field(
            default_factory=dict,
            description="Architecture -> AMI id, or the SSM parameter that holds it. The AMI must be made from the "
            "ECS-optimized Amazon Linux 2023, with lustre-client and autofs. Default: Batch's newest AMI.",
        )
    )
    session_manager: bool = Field(
        default=True, description="Whether Session Manager (AWS Systems Manager) can connect to the hosts of jobs."
    )
    spot_price_percent: int = Field(
        default=100, ge=1, le=100, description="Highest Spot price, in percent of the On-Demand price."
    )
    volume_gib: int = Field(
        default=100, ge=30, le=16384, description="Size of each instance's encrypted gp3 volume, in GiB."
    )
    stuck_minutes: int = Field(
        default=60, ge=10, le=1440, description="Minutes after which a job that cannot start is cancelled."
    )

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
    """Options that the stage's regenie supports, if it is not the complete program. Launches that need others are
    refused."""

    options: tuple[str, ...] = Field(min_length=1, description="Names of the supported options, such as --qt.")
    remedy: str = Field(
        min_length=1, description="Remedy shown to the author of a launch that needs an unsupported option."
    )


class RegenieSettings(_Settings):
    """Versions of regenie that launches can use."""

    versions: Mapping[str, str] = Field(
        min_length=1,
        max_length=8,
        description='Version -> "build" (build the image of containers/regenie), or the URI of an image with it.',
    )
    default_version: str = Field(description="Version of launches that name none.")
    limits: RegenieLimits | None = Field(
        default=None,
        description="Options that the stage's regenie supports, if it is not the complete program. Omit for no limits.",
    )

    @model_validator(mode="after")
    def _default_is_a_version(self) -> Self:
        if self.default_version not in self.versions:
            raise ValueError(f"default_version {self.default_version} is not one of: {', '.join(self.versions)}")
        return self


class RestoreSettings(_Settings):
    """Restores of archived inputs: defaults, and limits above which a person must approve."""

    mixed_tier: Literal["Bulk", "Standard"] = Field(
        default="Bulk",
        description="Default tier of a launch whose inputs are not all in Glacier Flexible Retrieval.",
    )
    days: int = Field(
        default=10,
        ge=1,
        le=365,
        description="Days to keep restored copies. Choose more than a launch needs to read them.",
    )
    approval_above_gib: int = Field(
        default=10_240, ge=0, description="A launch that retrieves more GiB is held until a person approves it."
    )
    approval_above_usd: float = Field(
        default=100,
        ge=0,
        description="A launch whose restore is estimated to cost more USD is held until a person approves it.",
    )


class TibannaSettings(_Settings):
    """Tibanna: its table, its state machine, and the instances that it starts for Snakemake's jobs."""

    table: Literal["create", "import"] = Field(
        default="create",
        description="Whether to create the table `tibanna-master`, or to import it where it exists: an account has one "
        "in each region.",
    )
    # Instances run this script as root. Mirror the repository, and name a commit of yours, to control it.
    scripts_repository: str = Field(
        default="4dn-dcic/tibanna",
        pattern=r"^[\w.-]+/[\w.-]+$",
        description="Public GitHub repository from which instances fetch their start script, which they run as root.",
    )
    scripts_commit: str = Field(
        default="c8c49eab",
        pattern=r"^[0-9a-f]{7,40}$",
        description="Commit of `scripts_repository`. A branch is not accepted, because it can change.",
    )
    ami_id: str | None = Field(
        default=None,
        pattern=r"^ami-[0-9a-f]{8,17}$",
        description="AMI of the instances: Ubuntu with Docker, x86-64. Default: Tibanna's own, of 2021.",
    )
    awsf_image: str = Field(
        default=BUILD,
        min_length=1,
        description='Image that runs a job\'s container: the URI of an image, or "build", which copies '
        "4dndcic/tibanna-awsf:6.1.0 into the stage's own repository.",
    )
    poll_seconds: int = Field(default=30, ge=30, le=60, description="Seconds between two checks of a job.")
    job_timeout_hours: int = Field(default=24, ge=1, description="Time limit of one submission of a job, in hours.")
    require_encrypted_volumes: bool = Field(
        default=True,
        description="Whether to refuse to start instances while the account does not encrypt EBS volumes by default.",
    )

    @model_validator(mode="after")
    def _fits_an_executions_history(self) -> Self:
        # Step Functions ends an execution after 25,000 events. A check of a job takes three; the rest is for its end.
        most = 24_000 // 3 * self.poll_seconds // 3600
        if self.job_timeout_hours > most:
            raise ValueError(
                f"job_timeout_hours {self.job_timeout_hours}: at most {most} with poll_seconds {self.poll_seconds} "
                "(an execution's history has no room for more checks)"
            )
        return self


_FARGATE_MEMORY: Final = {512: (1024, 4096), 1024: (2048, 8192), 2048: (4096, 16384), 4096: (8192, 30720)}
"""CPU units -> lowest and highest MiB, in steps of 1,024 (Amazon ECS developer guide, "Fargate task definition")."""


class SnakemakeSettings(_Settings):
    """The launcher of Snakemake launches: an ECS task on Fargate for each running launch."""

    image: str = Field(
        default=BUILD, description='Image of launchers: "build" (build containers/snakemake), or the URI of an image.'
    )
    batch_image: str = Field(
        default=BUILD,
        description='Image of the engine aws-batch\'s jobs, for launches without `container_image`: "build", or a URI.',
    )
    cpu: Literal[512, 1024, 2048, 4096] = Field(
        default=1024, description="CPU units of a launcher: 1,024 are one vCPU."
    )
    memory_mib: int = Field(
        default=4096, description="Memory of a launcher in MiB. The job graph of a large workflow needs gigabytes."
    )

    @model_validator(mode="after")
    def _is_a_size_of_fargate(self) -> Self:
        least, most = _FARGATE_MEMORY[self.cpu]
        if not least <= self.memory_mib <= most or self.memory_mib % 1024:
            raise ValueError(
                f"memory_mib {self.memory_mib}: with cpu {self.cpu} Fargate takes {least} to {most}, in steps of 1024"
            )
        return self


class ParallelClusterSettings(_Settings):
    """An existing AWS ParallelCluster with Slurm on which launches can run (docs/parallelcluster.md)."""

    cluster: str = Field(
        pattern=r"^[a-zA-Z][a-zA-Z0-9-]{0,59}$",
        description="Name of the cluster. ParallelCluster tags the head node with it.",
    )
    shared_folder: str = Field(
        pattern=r"^(/[A-Za-z0-9._-]+)+$",
        description="Folder for launches on a file system that all nodes share. `user` must own it.",
    )
    user: str = Field(pattern=r"^[a-z_][a-z0-9_-]{0,31}$", description="User as whom jobs run.")
    partition: str = Field(pattern=r"^[A-Za-z0-9_-]+$", description="Slurm partition of launches' jobs.")
    on_demand_partition: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z0-9_-]+$",
        description="Slurm partition of jobs that lost their Spot node twice.",
    )
    container: Literal["apptainer", "none"] = Field(
        default="apptainer",
        description="Program that runs the image. none: regenie and regenie_runner are installed on the nodes.",
    )
    most_array_jobs: int = Field(
        default=1000, ge=1, le=10_000, description="Most jobs of one array: Slurm's MaxArraySize minus 1."
    )


class UpstreamRegistry(StrEnum):
    """Host name of a registry that ECR's pull-through cache supports, and that has images of genomics programs."""

    DOCKER_HUB = "docker.io"
    GITHUB = "ghcr.io"
    QUAY = "quay.io"
    ECR_PUBLIC = "public.ecr.aws"

    @property
    def needs_login(self) -> bool:
        """Whether ECR needs a secret to cache it (Amazon ECR user guide, "Creating a pull through cache rule")."""
        return self in (UpstreamRegistry.DOCKER_HUB, UpstreamRegistry.GITHUB)

    @property
    def folder(self) -> str:
        """Last component of the cache's prefix. Short, because ECR allows 30 characters, of which `genolaunch-<stage>`
        takes up to 23."""
        return {"docker.io": "docker", "ghcr.io": "ghcr", "quay.io": "quay", "public.ecr.aws": "public"}[self]


_CredentialArn = Annotated[str, Field(pattern=r"^arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:[\w/+=.@-]+$")]


class PullThroughSettings(_Settings):
    """A public registry whose images the stage pulls through a cache in its own account."""

    registry: UpstreamRegistry
    credential_arn: _CredentialArn | None = Field(
        default=None,
        description="ARN of a secret with `username` and `accessToken`. Required for Docker Hub and GitHub.",
    )

    @model_validator(mode="after")
    def _has_its_credential(self) -> Self:
        if self.registry.needs_login and self.credential_arn is None:
            raise ValueError(f"{self.registry} can only be cached with a credential_arn")
        if self.credential_arn and ":secret:ecr-pullthroughcache/" not in self.credential_arn:
            raise ValueError("ECR reads only secrets whose names start with ecr-pullthroughcache/")
        return self


class ImagesSettings(_Settings):
    """Repositories of the stage's images, and caches of other registries (docs/images.md)."""

    pull_through: tuple[PullThroughSettings, ...] = Field(
        default=(),
        description="Registries to cache. The base images of the Dockerfiles then come from the caches too.",
    )

    registry_credentials: Mapping[Annotated[str, Field(pattern=r"^[a-z0-9.-]+(:\d+)?$")], _CredentialArn] = Field(
        default_factory=dict,
        max_length=4,
        description="Private registry -> ARN of a secret with `username` and `password`, for Batch's jobs.",
    )
    inspector: bool = Field(
        default=False,
        description="Whether Amazon Inspector is enabled in the account for ECR and Lambda. Its bills of materials are "
        "then kept too.",
    )

    @field_validator("pull_through")
    @classmethod
    def _names_each_once(cls, rules: tuple[PullThroughSettings, ...]) -> tuple[PullThroughSettings, ...]:
        if len({rule.registry for rule in rules}) < len(rules):
            raise ValueError("a registry is named twice")
        return rules

    @property
    def cached(self) -> frozenset[UpstreamRegistry]:
        """The registries that have a cache."""
        return frozenset(rule.registry for rule in self.pull_through)


_REFERENCE_FILE: Final = r"^[\w+=@.-]{1,80}$"


class ReferenceSettings(_Settings):
    """Files of one genome build, all in one folder. What is not named is not shown in reports."""

    folder: str = Field(
        pattern=r"^(s3://[a-z0-9.-]{3,63}/)?([\w+=@.-]+/)+$",
        max_length=200,
        description="Folder of the files: s3://BUCKET/FOLDER/ of a readable bucket, or a folder of the data bucket.",
    )
    genes: str | None = Field(default=None, pattern=_REFERENCE_FILE, description="Genes: GFF3, with its tabix index.")
    rsids: str | None = Field(
        default=None, pattern=_REFERENCE_FILE, description="dbSNP's variants: VCF, with its tabix index."
    )
    recombination: str | None = Field(
        default=None,
        pattern=_REFERENCE_FILE,
        description="Recombination rates: chromosome, base pair and cM/Mb in columns, with a tabix index.",
    )
    known: str | None = Field(
        default=None, pattern=_REFERENCE_FILE, description="Associations of the GWAS Catalog, as it offers them."
    )


class StageSettings(_Settings):
    """Everything that differs between stages.

    The length of lists is limited, because functions get them in their environment variables, which hold at most 4 KB
    (tests/infrastructure/test_environments.py).
    """

    name: str = Field(
        pattern=r"^[a-z][a-z0-9]{0,11}$",
        description="Name of the stage. Short, because it is part of function names, which have at most 64 characters.",
    )
    account: str = Field(pattern=r"^\d{12}$", description="AWS account of the stage.")
    region: Region = Field(description="AWS region of the stage.")
    zones: tuple[str, ...] = Field(
        min_length=1,
        max_length=MOST_ZONES,
        description="Availability zones. Each gets subnets, compute environments and queues. Add a zone at the end "
        "only, and remove only the last.",
    )
    network: NetworkSettings = NetworkSettings()
    batch: BatchSettings = BatchSettings()
    regenie: RegenieSettings
    restore: RestoreSettings = RestoreSettings()
    tibanna: TibannaSettings = TibannaSettings()
    snakemake: SnakemakeSettings = SnakemakeSettings()
    parallelcluster: ParallelClusterSettings | None = Field(
        default=None,
        description="An existing AWS ParallelCluster on which launches can run with `compute: parallelcluster`. Omit "
        "for none.",
    )
    images: ImagesSettings | None = Field(
        default=None,
        description="Repositories of the stage's own for images. Omit to use the CDK bootstrap's repository.",
    )
    pricing: PricingSource = PricingSource.LIST_PRICES
    file_system: FileSystemType = FileSystemType.SCRATCH_2
    launches_at_once: int = Field(
        default=50,
        ge=1,
        le=500,
        description="Most launches that run at the same time; others wait in a queue. An account's default quota is "
        "100 scratch file systems.",
    )
    job_timeout_hours: int = Field(
        default=24, ge=1, le=336, description="Time limit of one attempt of a job, in hours; at most 14 days."
    )
    sweep_grace_minutes: int = Field(
        default=60, ge=0, description="Minutes after which the sweep treats resources of an ended launch as left over."
    )
    log_retention_days: int = Field(
        default=30, description="Days to keep logs, in all log groups. A value that CloudWatch Logs accepts."
    )
    removal_policy: Literal["retain", "destroy"] = Field(
        default="retain", description="Whether buckets, tables and keys are kept when the stage is deleted."
    )
    backup_days: int | None = Field(
        default=None,
        ge=1,
        description="Days to keep daily backups of the tables and the small buckets. Omit for no backups.",
    )
    key_arn: str | None = Field(
        default=None,
        pattern=_KEY,
        description="ARN of an existing KMS key to use. Its policy must allow what docs/security.md lists. Omit to "
        "create a key.",
    )
    permissions_boundary: str | None = Field(
        default=None,
        pattern=r"^[\w+=,.@-]{1,128}$",
        description="Name of a policy that becomes the permissions boundary of every role, those of launches too.",
    )
    notification_emails: tuple[Email, ...] = Field(
        default=(), description="Addresses that get alarms and the notices of launches."
    )
    four_eyes_approval: bool = Field(
        default=False,
        description="Whether a second person must approve costs and restores: whoever asked for a launch, a retry or "
        "another config of it cannot approve it. Nobody can then write into the launch table by hand.",
    )
    teams: tuple[Annotated[str, Field(pattern=r"^[a-z][a-z0-9]{0,11}$")], ...] = Field(
        default=(),
        max_length=50,
        description="Teams whose launches are separated by the session tag `team` (docs/security.md).",
    )
    readable_buckets: tuple[BucketName, ...] = Field(
        default=(), max_length=20, description="Buckets that launches can read in addition to the data bucket."
    )
    writable_buckets: tuple[BucketName, ...] = Field(
        default=(),
        max_length=20,
        description="Buckets in which Snakemake launches can have their `data`, in addition to the data bucket.",
    )

    references: Mapping[Literal["NCBI36", "GRCh37", "GRCh38"], ReferenceSettings] = Field(
        default={},
        max_length=3,
        description="Reference files by genome build, in which the leads of GWAS launches are looked up "
        "(docs/references.md). Omit for none.",
    )
    bucket_key_arns: tuple[Annotated[str, Field(pattern=_KEY)], ...] = Field(
        default=(),
        description="ARNs of the customer managed keys that encrypt these buckets (docs/security.md: who uses them).",
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
            raise ValueError("unassigned cannot be a team's name: ids of launches without a team start with it")
        if folders := [team for team in teams if f"{team}/" in LAUNCH_BUCKET_PREFIXES]:
            raise ValueError(
                f"{', '.join(folders)} cannot be a team's name: the launch bucket has a folder of that name"
            )
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
        """Start of every name that is not generated: `genolaunch-<stage>`."""
        return f"genolaunch-{self.name}"


class DeliverySettings(_Settings):
    """The delivery pipeline: its account and region, its repository, and the stages that it deploys."""

    account: str = Field(pattern=r"^\d{12}$", description="AWS account of the pipeline.")
    region: Region = Field(description="AWS region of the pipeline.")
    repository: str = Field(
        pattern=r"^[^/\s]+/[^\s]+$", description="Repository as OWNER/NAME, as the connection's provider names it."
    )
    branch: str = Field(default="main", description="Branch whose commits are delivered.")
    connection_arn: str = Field(pattern=_CONNECTION, description="ARN of the CodeConnections connection to it.")
    stages: tuple[str, ...] = Field(min_length=1, description="Stages to deploy, in this order.")
    smoke_tested: tuple[str, ...] = Field(
        default=(), description="Stages in which a tiny launch must end COMPLETE after each deployment."
    )
    approved: tuple[str, ...] = Field(
        default=(), description="Stages whose deployment waits until a person approves it."
    )
    notification_emails: tuple[Email, ...] = Field(
        default=(), description="Addresses that are told of failed deliveries and of waiting approvals."
    )
    parallel_publishing: bool = Field(
        default=False,
        description="Whether each function's code and each image is published by a build of its own, instead of two "
        "builds for all. Some 20 builds then run at once, more than a new account's CodeBuild quota allows.",
    )

    @model_validator(mode="after")
    def _names_its_own_stages(self) -> Self:
        unknown = sorted({*self.smoke_tested, *self.approved} - set(self.stages))
        if unknown:
            raise ValueError(f"smoke_tested and approved name stages that are not in stages: {', '.join(unknown)}")
        return self


class ProductSettings(_Settings):
    """Genolaunch as a product of AWS Service Catalog (docs/governance.md)."""

    repository_url: str = Field(pattern=r"^https://\S+$", description="URL of the repository with the releases.")
    provider: Literal["GITHUB", "GITHUB_ENTERPRISE", "GITLAB", "GITLAB_SELF_MANAGED", "BITBUCKET"] = Field(
        default="GITHUB", description="Host of the repository, by CodeBuild's name of it."
    )
    connection_arn: str = Field(pattern=_CONNECTION, description="ARN of the CodeConnections connection to it.")
    releases: tuple[Annotated[str, Field(pattern=r"^[A-Za-z0-9][\w.-]*$")], ...] = Field(
        min_length=1, description="Tags of the repository. Each becomes a version of the product."
    )
    stages: tuple[str, ...] = Field(min_length=1, description="Stages that the product can deploy.")
    principals: tuple[Annotated[str, Field(pattern=r"^arn:aws[a-z-]*:iam::\d{12}:role/\S+$")], ...] = Field(
        min_length=1, description="ARNs of the roles that can deploy the product."
    )
    owner: str = Field(default="Genolaunch's platform team", min_length=1, description="Owner that the catalog shows.")
    support_email: Email | None = Field(default=None, description="Support address that the catalog shows.")


class GovernanceSettings(_Settings):
    """The account that collects events about Genolaunch's Service Catalog product, and publishes the product."""

    account: str = Field(pattern=r"^\d{12}$", description="AWS account that collects the events.")
    region: Region = Field(description="AWS region in which the events are collected.")
    accounts: tuple[Annotated[str, Field(pattern=r"^\d{12}$")], ...] = Field(
        default=(), description="Other accounts, which forward their events to it."
    )
    product: ProductSettings | None = Field(default=None, description="The product to publish. Omit to publish none.")


def read_governance(raw: object, stages: Mapping[str, StageSettings]) -> GovernanceSettings:
    """Check the governance settings (`context.governance` in cdk.json).

    Args:
        raw: The settings as JSON gave them.
        stages: The checked stages by name, which `product.stages` must name.

    Returns:
        The checked settings.

    Raises:
        InvalidSettingsError: With one line for each fault.
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

    Args:
        raw: The settings as JSON gave them.
        stages: The checked stages by name, which `stages` must name.

    Returns:
        The checked settings.

    Raises:
        InvalidSettingsError: With one line for each fault.
    """
    try:
        delivery = DeliverySettings.model_validate(raw)
    except ValidationError as error:
        faults = [_describe("delivery", fault) for fault in error.errors()]
        raise InvalidSettingsError("The pipeline's settings have faults:\n  " + "\n  ".join(faults)) from error
    if unknown := [name for name in delivery.stages if name not in stages]:
        raise InvalidSettingsError(f"delivery.stages: not configured: {', '.join(unknown)}")
    if apart := [name for name in delivery.smoke_tested if stages[name].teams]:
        raise InvalidSettingsError(
            f"delivery.smoke_tested: not possible for stages with teams, which are: {', '.join(apart)}"
        )
    return delivery


def read_stages(raw: object) -> dict[str, StageSettings]:
    """Check the stages' settings.

    Args:
        raw: `{"<stage>": {settings}, ...}` as JSON gave it.

    Returns:
        Stage -> its checked settings.

    Raises:
        InvalidSettingsError: With one line for each fault of each stage.
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
