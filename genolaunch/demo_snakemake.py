"""A Snakemake workflow on the whole platform on this machine, by each engine. `make demo-snakemake` calls it.

What each engine makes is compared with what a plain `snakemake` on this machine makes of the same files.
"""

import gzip
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import typer
import yaml
from rich.console import Console
from rich.text import Text

from genolaunch.contract.workflow import SnakemakeEngine
from genolaunch.demo import Demo, drop, failures_told, follow, heading, how_to_go_on, start_cloud, times
from genolaunch.errors import GenolaunchError
from genolaunch.local import LOCAL_STAGE, StateDirOption, cloud_control
from genolaunch.platform import Platform
from genolaunch.render.screen import console
from genolaunch.uploads import planned_sources, planned_uploads, upload_file

CHECKOUT: Final = Path(__file__).parents[1]
EXAMPLE: Final = CHECKOUT / "examples" / "snakemake"


def run(screen: Console, state_dir: Path) -> None:
    """Run the demo; raises GenolaunchError with the reason when a launch fails or its outputs are others."""
    demo = Demo(screen)
    with cloud_control(), demo.phase("environment", "Making Snakemake's environments (once a checkout)"):
        from genolaunch.local_stage.images import snakemake, snakemake9
        from genolaunch.local_stage.locked_environment import EnvironmentFailedError

        try:
            pythons = {
                SnakemakeEngine.TIBANNA: snakemake() / "bin" / "python",
                SnakemakeEngine.AWS_BATCH: snakemake9() / "bin" / "python",
            }
        except EnvironmentFailedError as error:
            raise GenolaunchError(str(error)) from error
    start_cloud(demo, state_dir)
    platform = Platform(LOCAL_STAGE)
    config = yaml.safe_load((EXAMPLE / "launch.yaml").read_text(encoding="utf-8"))
    _upload_sources(demo, platform)
    for engine, python in pythons.items():
        made = _launch(demo, platform, config, engine)
        with demo.phase("compare", "Comparing with a plain local run of Snakemake"):
            others = differences(made, plain_run(python, config["snakemake"]["config"]))
        if others:
            raise GenolaunchError(f"With the engine {engine} these differ from a plain local run: {', '.join(others)}.")
        screen.print(Text(f"{engine}: its {len(made)} files are those of a plain local run.", "bold"))
    screen.print(Text(made["report.tsv"].decode()), sep="\n")
    screen.print(heading("Time"), times(demo.seconds), sep="\n")
    screen.print(Text(how_to_go_on(state_dir)), soft_wrap=True)


def _upload_sources(demo: Demo, platform: Platform) -> None:
    with demo.phase("upload", "Putting the workflow into the launch bucket") as tell:
        for upload in planned_sources(platform, EXAMPLE / "launch.yaml", EXAMPLE / "workflow").uploads:
            tell(upload.key)
            upload_file(platform, upload, lambda _: None)


def _launch(demo: Demo, platform: Platform, config: Mapping[str, Any], engine: SnakemakeEngine) -> dict[str, bytes]:
    """Run the workflow in a data folder of the engine's own; answers the files that are there afterwards."""
    prefix = f"{config['data'].strip('/')}-{engine}/"
    with tempfile.TemporaryDirectory() as folder:
        launch = Path(folder) / f"reads-{engine}.yaml"
        changed = {**config, "data": prefix, "snakemake": {**config["snakemake"], "engine": str(engine)}}
        launch.write_text(yaml.safe_dump(changed, sort_keys=False), encoding="utf-8")
        with demo.phase("upload", "Putting the reads into the data bucket") as tell:
            for upload in planned_uploads(platform, launch, EXAMPLE / "data").uploads:
                tell(upload.key)
                upload_file(platform, upload, lambda _: None)
        launch_id = drop(demo, platform, launch)
    follow(demo, platform, launch_id)
    return _files(platform, prefix)


def _files(platform: Platform, prefix: str) -> dict[str, bytes]:
    bucket = platform.names.data_bucket
    # Snakemake 9 keeps its copies of S3 objects there, and tools tell the names of their files in what they write.
    place = f".snakemake/storage/s3/{bucket}/{prefix}".encode()
    pages = platform.s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return {
        item["Key"].removeprefix(prefix): _body(platform, bucket, item["Key"]).replace(place, b"")
        for page in pages
        for item in page.get("Contents", [])
        if not item["Key"].startswith(f"{prefix}.snakemake/")
    }


def _body(platform: Platform, bucket: str, key: str) -> bytes:
    return platform.s3.get_object(Bucket=bucket, Key=key)["Body"].read()


def plain_run(python: Path, config: Mapping[str, Any]) -> dict[str, bytes]:
    """What the Snakemake of an interpreter makes in a folder of this machine, of the example and these config values.

    The answer has the reads too, since a launch's data folder has them beside what is made.
    """
    values = [f"{key}={value}" for key, value in config.items()]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "run"
        shutil.copytree(EXAMPLE / "workflow", folder)
        sources = {path for path in folder.rglob("*") if path.is_file()}
        shutil.copytree(EXAMPLE / "data", folder, dirs_exist_ok=True)
        done = subprocess.run(
            [str(python), "-m", "snakemake", "--cores", "2", *(("--config", *values) if values else ())],
            cwd=folder,
            env={"PATH": f"{python.parent}:/usr/bin:/bin", "HOME": temporary},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise GenolaunchError(f"A plain local run of the example fails: {done.stderr.strip()[-500:]}")
        return {
            str(path.relative_to(folder)): path.read_bytes()
            for path in folder.rglob("*")
            if path.is_file() and path not in sources and ".snakemake" not in path.parts
        }


def differences(made: Mapping[str, bytes], plain: Mapping[str, bytes]) -> list[str]:
    """Files that only one run has, or that differ in what they say."""
    return sorted(name for name in made.keys() | plain.keys() if _content(name, made) != _content(name, plain))


def _content(name: str, files: Mapping[str, bytes]) -> bytes | None:
    """Without what differs between two equal runs: how long it took, and how gzip packed it."""
    body = files.get(name)
    if body is None or name.endswith(".log"):
        return body if body is None else b"a log"
    return gzip.decompress(body) if name.endswith(".gz") else body


def demo_snakemake(
    state_dir: StateDirOption,
) -> None:
    """Run a real Snakemake workflow on the whole platform on this machine, by both engines."""
    with failures_told():
        run(console(), state_dir)


if __name__ == "__main__":
    typer.run(demo_snakemake)
