"""The services that ministack lacks: Batch, whose jobs really run, and FSx for Lustre, as folders."""

from pathlib import Path
from typing import Final

from localcloud.assembly import StandIns
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
from localcloud.fsx import FsxService
from localcloud.images import ImageCatalog
from localcloud.injection import batch_injector, fsx_injector

_CLOCK_SPEED: Final = 600.0
"""Ten minutes in a second: no instance will ever come here for a job that waits for one, so nobody has to wait long."""

_CHECKOUT: Final = Path(__file__).parents[1]


def make(state_dir: Path, endpoint: str) -> StandIns:
    """Start them with their state below `state_dir`; they reach S3 and logs at `endpoint`."""
    file_systems = FsxService(state=state_dir, s3=client("s3", endpoint), region=REGION, account=ACCOUNT)
    batch = BatchService(
        runner=_runner(state_dir / "batch", endpoint, file_systems),
        logs=CloudWatchLogs(client("logs", endpoint)),
        region=REGION,
        account=ACCOUNT,
        clock_speed=_CLOCK_SPEED,
    )

    def close() -> None:
        batch.close()  # jobs first: they use the file systems
        file_systems.close()

    return StandIns(
        batch=batch,
        others=(file_systems,),
        close=close,
        injectors={"batch": batch_injector(batch), "fsx": fsx_injector(file_systems)},
    )


def _runner(state_dir: Path, endpoint: str, file_systems: FsxService) -> ContainerRunner:
    runner = DockerRunner if docker_answers() else ProcessRunner
    return runner(
        images=ImageCatalog(_CHECKOUT, state_dir),
        folders=HostFolders(state_dir / "host", file_systems),
        scratch=state_dir / "scratch",
        cloud_environment=client_environment(endpoint),
    )
