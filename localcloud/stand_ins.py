"""The services that ministack lacks: Batch and ECS tasks, which really run, FSx for Lustre, as folders, and prices."""

from pathlib import Path
from typing import Final

from localcloud import images, ministack_iam
from localcloud.assembly import EventListener, StandIns
from localcloud.batch import (
    BatchService,
    CloudWatchLogs,
    ContainerRunner,
    DockerRunner,
    HostFolders,
    ProcessRunner,
    docker_answers,
)
from localcloud.clients import ACCOUNT, REGION, client, client_environment
from localcloud.ec2 import Ec2Service, Injections, Machines
from localcloud.ecs import EcsService
from localcloud.fsx import FsxService
from localcloud.injection import (
    batch_injector,
    ec2_injector,
    ecs_injector,
    fsx_injector,
    offers_injector,
    pricing_injector,
    quota_injector,
)
from localcloud.instances import Fleet, FleetHosts, InstancesService
from localcloud.ministack_adapter import stored_content
from localcloud.offers import OffersService
from localcloud.pricing import PricingService, RecordedPrices
from localcloud.quotas import QuotasService
from localcloud.slurm import CLUSTER, SlurmService

_CLOCK_SPEED: Final = 600.0
"""Ten minutes in a second: no instance will ever come here for a job that waits for one, so nobody has to wait long."""


def make(state_dir: Path, endpoint: str) -> StandIns:
    """Start them with their state below `state_dir`; they reach S3 and logs at `endpoint`."""
    file_systems = FsxService(
        state=state_dir, s3=client("s3", endpoint), region=REGION, account=ACCOUNT, stored=stored_content
    )
    logs = CloudWatchLogs(client("logs", endpoint))
    prices = RecordedPrices()
    price_list = PricingService(prices)
    quotas = QuotasService()
    offers = OffersService(prices)
    fleet = Fleet(prices, region=REGION, account=ACCOUNT)
    hosts = FleetHosts(
        fleet,
        environment_of=lambda queue: batch.compute_environment(queue),
        ec2=lambda: client("ec2", endpoint),
    )
    batch = BatchService(
        runner=_runner(state_dir / "batch", endpoint, file_systems),
        logs=logs,
        region=REGION,
        account=ACCOUNT,
        clock_speed=_CLOCK_SPEED,
        hosts=hosts,
    )
    tasks = EcsService(
        runner=_runner(state_dir / "ecs", endpoint, file_systems),
        logs=logs,
        ecs=client("ecs", endpoint),
        may_assume=lambda role: ministack_iam.trusts(role, "ecs-tasks.amazonaws.com"),
        region=REGION,
        account=ACCOUNT,
    )
    queries = InstancesService(fleet, prices)

    cluster = SlurmService(
        folder=state_dir / "cluster",
        cluster=CLUSTER,
        ec2=lambda: client("ec2", endpoint),
        environment={**client_environment(endpoint), **images.environment()},
    )

    machines = Machines(
        ec2=client("ec2", endpoint),
        folder=state_dir / "instances",
        cloud_environment={**client_environment(endpoint), **images.environment()},
    )
    ec2 = Ec2Service(machines=machines, injections=Injections(), clients=lambda service: client(service, endpoint))

    def close() -> None:
        tasks.close()  # launchers end their jobs
        cluster.close()
        machines.close()
        batch.close()  # jobs first: they use the file systems
        fleet.close()
        file_systems.close()

    def subscribe_ec2(listener: EventListener) -> None:
        fleet.subscribe(listener)
        machines.subscribe(listener)

    return StandIns(
        batch=batch,
        others=(file_systems, price_list, quotas),
        close=close,
        injectors={
            "batch": batch_injector(batch),
            "ec2": ec2_injector(ec2.injections),
            "ecs": ecs_injector(tasks),
            "fsx": fsx_injector(file_systems),
            "offers": offers_injector(offers),
            "pricing": pricing_injector(price_list),
            "service-quotas": quota_injector(quotas),
        },
        interceptors=tuple(each for service in (ec2, tasks, offers, queries, cluster) for each in service.interceptors),
        subscribe_ecs=tasks.subscribe,
        subscribe_ec2=subscribe_ec2,
        encrypts_volumes=lambda: ec2.encryption.is_on,
    )


def _runner(state_dir: Path, endpoint: str, file_systems: FsxService) -> ContainerRunner:
    runner = DockerRunner if docker_answers() else ProcessRunner
    return runner(
        images=images.ImageCatalog(images.known(), state_dir),
        folders=HostFolders(state_dir / "host", file_systems),
        scratch=state_dir / "scratch",
        cloud_environment=client_environment(endpoint),
    )
