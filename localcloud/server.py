"""The embedded cloud's process: `python -m localcloud.server --port 4566 --state .localcloud`."""

import argparse
import fcntl
import logging
import os
import sys
import tempfile
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from localcloud import images, run_folder
from localcloud.clean_environment import of_a_server
from localcloud.clients import REGION, Keys, make_owner

HOST: Final = "127.0.0.1"
LOCK_NAME: Final = "server.lock"
"""Locked in the state folder for as long as the server lives."""

DEFAULT_WAIT_SCALE: Final = 0.01
"""Waits for services that take minutes on AWS and milliseconds here: 15 s become 0.15 s."""

LAMBDA_RUNTIME_PACKAGES: Final = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "six", "urllib3")
"""What AWS's Python runtime brings besides the standard library."""


def main() -> None:
    """Serve until told to stop."""
    options = _options()
    serve(
        options.state.resolve(),
        options.port,
        options.wait_scale,
        "localcloud.stand_ins",
        known_images=options.images,
        enforce_iam=options.enforce_iam,
    )


def serve(
    state_dir: Path,
    port: int,
    wait_scale: float,
    stand_ins: str,
    *,
    known_images: str = "",
    enforce_iam: bool = False,
) -> None:
    """Serve on 127.0.0.1 until told to stop, with the services that module `stand_ins` makes (its `make`).

    `known_images`: name of the module that knows the images of jobs (localcloud.images).
    """
    private_folder(state_dir)
    with (state_dir / LOCK_NAME).open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.exit(f"A server already runs on {state_dir}.")
        lock.truncate(0)
        print(os.getpid(), file=lock, flush=True)
        run_dir = run_folder.emptied(state_dir)
        _set_environment(port, run_dir, make_owner(state_dir))
        os.environ[images.MODULE] = known_images
        os.environ["AUTH"] = str(enforce_iam).lower()
        # ministack reads the environment when it is imported, so only now.
        from localcloud import assembly

        make = import_module(stand_ins).make
        assembly.run(make, run_dir, f"http://{HOST}:{port}", wait_scale, enforce_iam=enforce_iam)
        logging.shutdown()
        # Threads of executions may wait for days, and the interpreter would wait for them. The lock goes last.
        os._exit(0)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="An embedded AWS on one machine.")
    parser.add_argument("--port", type=int, default=4566)
    parser.add_argument("--state", type=Path, default=Path(".localcloud"), help="folder for everything it writes")
    parser.add_argument(
        "--wait-scale", type=float, default=DEFAULT_WAIT_SCALE, help="how long Wait states last, 1 being as on AWS"
    )
    parser.add_argument("--images", default="", help="module that knows the images of jobs (see localcloud.images)")
    parser.add_argument(
        "--enforce-iam",
        action="store_true",
        help="refuse what roles are not allowed, as AWS does",
    )
    return parser.parse_args()


def private_folder(folder: Path) -> None:
    """Make a folder that only its owner may look into: cohorts, keys and logs are below it."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)


def _set_environment(port: int, run_dir: Path, owner: Keys) -> None:
    temporary = run_dir / "tmp"
    temporary.mkdir()
    tempfile.tempdir = str(temporary)
    kept = of_a_server(os.environ)
    os.environ.clear()
    os.environ.update(
        kept,
        GATEWAY_PORT=str(port),
        BIND_HOST=HOST,
        IOT_MTLS_ENABLED="false",  # a listener on port 8883
        SFTP_ENABLED="false",
        # Invocations are not throttled: they wait until one of the few processes of their function is free.
        LAMBDA_ACCOUNT_CONCURRENCY="0",
        MINISTACK_REGION=REGION,
        AWS_DEFAULT_REGION=REGION,
        AWS_ACCESS_KEY_ID=owner.access_key,
        AWS_SECRET_ACCESS_KEY=owner.secret_key,
        S3_DATA_DIR=str(temporary / "s3"),
        TMPDIR=str(temporary),
        LOG_LEVEL=kept.get("LOG_LEVEL", "INFO"),
        LAMBDA_RUNTIME_DIR=str(_lambda_runtime(run_dir / "lambda-runtime")),
    )
    logging.captureWarnings(True)


def _lambda_runtime(folder: Path) -> Path:
    """Make the folder that holds what AWS's Python runtime does, and nothing else that is installed here."""
    folder.mkdir()
    for package in LAMBDA_RUNTIME_PACKAGES:
        spec = find_spec(package)
        if spec is None or spec.origin is None:
            raise ModuleNotFoundError(f"{package} is not installed; functions need it.")
        origin = Path(spec.origin)
        source = origin.parent if origin.name == "__init__.py" else origin
        (folder / source.name).symlink_to(source)
    return folder


if __name__ == "__main__":
    main()
