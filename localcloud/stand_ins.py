"""The services that ministack lacks: Batch and ECS tasks, which really run, FSx for Lustre, as folders, and prices."""

from pathlib import Path
from typing import Final

from localcloud import images, ministack_iam
from localcloud.assembly import EventListener, Interceptor, StandIns
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
from localcloud.ec2 import EncryptionByDefault, FleetRequests, Injections, Machines
from localcloud.ecs import TaskService
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
from localcloud.instances import Fleet, FleetHosts, InstanceQueries
from localcloud.offers import Offers
from localcloud.pricing import PriceListService, RecordedPrices
from localcloud.quotas import ServiceQuotas
from localcloud.slurm import CLUSTER, HeadNode

_CLOCK_SPEED: Final = 600.0
"""Ten minutes in a second: no instance will ever come here for a job that waits for one, so nobody has to wait long."""


def make(state_dir: Path, endpoint: str) -> StandIns:
    """Start them with their state below `state_dir`; they reach S3 and logs at `endpoint`."""
    file_systems = FsxService(state=state_dir, s3=client("s3", endpoint), region=REGION, account=ACCOUNT)
    logs = CloudWatchLogs(client("logs", endpoint))
    prices = RecordedPrices()
    price_list = PriceListService(prices)
    quotas = ServiceQuotas()
    offers = Offers(prices)
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
    tasks = TaskService(
        runner=_runner(state_dir / "ecs", endpoint, file_systems),
        logs=logs,
        ecs=client("ecs", endpoint),
        may_assume=lambda role: ministack_iam.trusts(role, "ecs-tasks.amazonaws.com"),
        region=REGION,
        account=ACCOUNT,
    )
    queries = InstanceQueries(fleet, prices)

    head_node = HeadNode(
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
    misfortunes = Injections()
    encryption = EncryptionByDefault()
    fleets = FleetRequests(machines=machines, injections=misfortunes, clients=lambda service: client(service, endpoint))

    def close() -> None:
        tasks.close()  # launchers end their jobs
        head_node.close()
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
            "ec2": ec2_injector(misfortunes),
            "ecs": ecs_injector(tasks),
            "fsx": fsx_injector(file_systems),
            "offers": offers_injector(offers),
            "pricing": pricing_injector(price_list),
            "service-quotas": quota_injector(quotas),
        },
        interceptors=(
            Interceptor("ec2", fleets.wants, fleets.answer),
            Interceptor("ecs", tasks.wants, tasks.answer),
            Interceptor("ec2", encryption.wants, encryption.answer),
            Interceptor("ec2", offers.wants_ec2, offers.answer_ec2),
            Interceptor("ssm", offers.wants_ssm, offers.answer_ssm),
            Interceptor("ec2", queries.wants_ec2, queries.answer_ec2),
            Interceptor("ecs", queries.wants_ecs, queries.answer_ecs),
            Interceptor("ec2", head_node.wants_ec2, head_node.answer_ec2),
            Interceptor("ssm", head_node.wants_ssm, head_node.answer_ssm),
        ),
        subscribe_ecs=tasks.subscribe,
        subscribe_ec2=subscribe_ec2,
        encrypts_volumes=lambda: encryption.is_on,
    )


def _runner(state_dir: Path, endpoint: str, file_systems: FsxService) -> ContainerRunner:
    runner = DockerRunner if docker_answers() else ProcessRunner
    return runner(
        images=images.ImageCatalog(images.known(), state_dir),
        folders=HostFolders(state_dir / "host", file_systems),
        scratch=state_dir / "scratch",
        cloud_environment=client_environment(endpoint),
    )
