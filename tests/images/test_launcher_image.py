"""The launcher's image, in which Tibanna's jobs run too."""

from pathlib import Path

from genolaunch.contract.launcher import LAUNCHER_COMMAND, LAUNCHER_HOME, LAUNCHER_USER
from tests.images import inside
from tests.images.buildah import Buildah, Container
from tests.images.locks import LAUNCHER_LOCK, SNAKEMAKE9_LOCK, installed, locked
from tests.images.stand_in_bases import CONTAINERS
from tests.images.test_snakemake9_image import run_the_example, site_packages, without_builders

PACKAGE = CONTAINERS / "snakemake" / "snakemake_launcher"
MODULES = inside.modules(PACKAGE)
OF_SNAKEMAKE_9 = [
    *("snakemake_launcher.engines.snakemake9", "snakemake_launcher.engines.batch_jobs"),
    *("snakemake_executor_plugin_genolaunch_batch", "snakemake_logger_plugin_genolaunch"),
]
"""What the launcher starts in the other environment."""

PYTHON9 = "/opt/snakemake9/bin/python"
# Tibanna wants these when it is imported.
TIBANNA = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_ACCOUNT_NUMBER": "0", "AWS_REGION": "us-east-1"}


def test_the_configuration_is_what_the_task_definition_counts_on(buildah: Buildah, launcher_image: str):
    configuration = buildah.configuration(launcher_image)

    assert configuration["architecture"] == "amd64"
    assert configuration["User"] == "root"
    assert configuration.get("Entrypoint") is None
    assert configuration["Cmd"] == list(LAUNCHER_COMMAND)
    assert list(configuration["Volumes"]) == [LAUNCHER_HOME]
    assert {"PYTHONPATH=/opt/launcher", f"SNAKEMAKE9_PYTHON={PYTHON9}"} <= set(configuration["Env"])


def test_every_module_of_the_launcher_can_be_imported(launcher: Container):
    of_7 = [name for name in MODULES if name != "snakemake_launcher.engines.snakemake9"]

    assert len(of_7) > 15
    environment = " ".join(f"{name}={value}" for name, value in TIBANNA.items())
    python7 = launcher.output("sh", "-c", f"{environment} command -v python").strip()
    assert python7 == "/opt/snakemake/bin/python"
    assert inside.failed_imports(launcher, python7, of_7, LAUNCHER_USER, TIBANNA) == {}
    assert inside.failed_imports(launcher, PYTHON9, OF_SNAKEMAKE_9, LAUNCHER_USER) == {}


def test_packages_are_those_of_the_locks(launcher: Container):
    for environment, lock in (("/opt/snakemake", LAUNCHER_LOCK), ("/opt/snakemake9", SNAKEMAKE9_LOCK)):
        version, packages = installed(launcher, f"{environment}/bin/python", site_packages(launcher, environment))

        assert without_builders(packages) == without_builders(locked(lock, version))


def test_its_programs_are_of_the_versions_in_the_locks(launcher: Container):
    pins = locked(LAUNCHER_LOCK)

    assert launcher.output("snakemake", "--version").strip() == pins["snakemake"]
    assert launcher.output("cutadapt", "--version").strip() == pins["cutadapt"]
    assert launcher.output(PYTHON9, "-m", "snakemake", "--version").strip() == locked(SNAKEMAKE9_LOCK)["snakemake"]
    assert launcher.output("git", "--version").startswith("git version")


def test_snakemake_9_knows_the_platforms_plugins(launcher: Container):
    options = launcher.output(PYTHON9, "-m", "snakemake", "--help", user=LAUNCHER_USER)

    assert "--genolaunch-batch-job-definition" in options
    assert "genolaunch" in options.partition("--logger")[2]


def test_the_launchers_user_owns_its_folder_and_may_write_nowhere_else(launcher: Container):
    assert launcher.output("stat", "--format", "%u:%g", LAUNCHER_HOME).strip() == LAUNCHER_USER
    launcher.output("touch", f"{LAUNCHER_HOME}/file", user=LAUNCHER_USER)
    assert inside.writable(launcher, LAUNCHER_USER) <= {LAUNCHER_HOME, f"{LAUNCHER_HOME}/file", *inside.ANYBODYS}
    assert inside.others_files(launcher) == []


def test_nothing_of_the_build_is_left(launcher: Container):
    assert inside.compilers(launcher) == []
    assert inside.leftovers(launcher) == []


def test_the_launcher_without_settings_names_them(launcher: Container):
    done = launcher.run(*LAUNCHER_COMMAND, user=LAUNCHER_USER, environment={"HOME": LAUNCHER_HOME})

    assert done.returncode == 2, done.stderr
    assert "Missing in the environment: STAGE, LAUNCH_ID, ATTEMPT, RECORD_QUEUE, RUN_SHEET." in done.stderr


def test_a_workflow_runs_as_root_as_tibannas_jobs_do(launcher: Container, tmp_path: Path):
    run_the_example(launcher, tmp_path, user="0:0")
