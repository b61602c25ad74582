"""The one way to make a Lambda function.

A capability (a folder of `lambdas/`) makes one `Capability`, and then each of its functions is one call.
"""

import platform
import sys
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Final

import jsii
from aws_cdk import BundlingOptions, DockerImage, Duration, IgnoreMode, ILocalBundling, Size
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from genolaunch.contract.project import PROJECT
from genolaunch.contract.settings import Setting
from stacks.constructs.bytecode import CODE_PLACE, LAYER_PLACE, Compiler, compiler_of, own_compiler
from stacks.constructs.locked_packages import LAYER_FOLDER, copy_sources, locked_packages
from stacks.constructs.monitoring import ALARM_PERIOD, Monitoring
from stacks.constructs.stage_stack import REPOSITORY, StageStack

_LAMBDAS: Final = REPOSITORY / "lambdas"
_REQUIREMENTS: Final = "requirements.txt"
PYTHON: Final = "3.14"
"""The runtime's."""
_PLATFORM: Final = "aarch64-manylinux_2_28"
"""The runtime is Amazon Linux 2023 with glibc 2.34 (developer guide, "Lambda runtimes"; Amazon Linux 2023 user guide,
"Core toolchain packages glibc, gcc, binutils"), and takes wheels for an older one."""
_SHARED: Final = (
    "genolaunch/__init__.py",
    "genolaunch/contract",
    "genolaunch/launch_configs",
    "genolaunch/shared",
    "lambdas/__init__.py",
    "lambdas/shared",
)
"""What all functions have. Of the command line's package these are the contract and what it shares with the functions,
and no command."""


class BundlingTarget(StrEnum):
    """For which machine the layer's native code is."""

    LAMBDA = "lambda"
    """Lambda's python3.14 on arm64."""

    HOST = "host"
    """The machine that deploys: an embedded cloud runs the functions on it."""

    @property
    def pip_options(self) -> tuple[str, ...]:
        """What makes uv choose this target's wheels."""
        if self is BundlingTarget.HOST:
            return ("--python", sys.executable)
        return ("--python-version", PYTHON, "--python-platform", _PLATFORM)

    @property
    def identity(self) -> str:
        """Differs between targets whose wheels differ."""
        if self is BundlingTarget.HOST:
            return f"{sys.implementation.cache_tag}-{platform.system()}-{platform.machine()}"
        return f"python{PYTHON}-{_PLATFORM}"

    @property
    def compiler(self) -> Compiler | None:
        """The Python that runs the functions; None if it is not installed here."""
        return own_compiler() if self is BundlingTarget.HOST else compiler_of(PYTHON)


class Capability(Construct):
    """The functions of one capability: what they share is said once, here."""

    def __init__(
        self,
        scope: Construct,
        folder: str,
        *,
        monitoring: Monitoring,
        bundling: BundlingTarget,
        deployed_as: str | None = None,
    ) -> None:
        """Package the functions of one folder.

        Args:
            scope: The stack.
            folder: The capability's folder in `lambdas/`.
            monitoring: Makes log groups and alarms.
            bundling: The platform for which the dependencies are installed.
            deployed_as: The word in the functions' names. Default: the folder's. Another keeps the names of stages that
                were deployed before the folder was renamed.
        """
        super().__init__(scope, "Functions")
        self._folder = folder
        self._name = deployed_as or folder
        self._monitoring = monitoring
        self._code = sources_of(folder, bundling.compiler, display_name=f"{self._name} functions")
        self._bundling = bundling
        self._layer = self._packages("Dependencies", Path(_REQUIREMENTS))

    def own_packages(self) -> lambda_.LayerVersion:
        """What the capability's own lock has, for those of its functions that need it."""
        return self._packages("OwnDependencies", Path(self._folder, _REQUIREMENTS))

    def _packages(self, id_: str, lock: Path) -> lambda_.LayerVersion:
        return lambda_.LayerVersion(
            self,
            id_,
            code=locked_packages(
                _LAMBDAS / lock,
                options=self._bundling.pip_options,
                identity=self._bundling.identity,
                compiler=self._bundling.compiler,
                folder=LAYER_FOLDER,
                place=LAYER_PLACE,
            ),
            compatible_runtimes=[lambda_.Runtime.PYTHON_3_14],
            compatible_architectures=[lambda_.Architecture.ARM_64],
            description=f"lambdas/{lock}",
        )

    def function(
        self,
        module: str,
        *,
        description: str,
        environment: Mapping[Setting, str],
        timeout: Duration,
        memory_mib: int = 256,
        temporary_storage: Size | None = None,
        further_packages: Sequence[lambda_.ILayerVersion] = (),
        errors_are_users: bool = False,
    ) -> lambda_.Function:
        """The function whose handler is `lambdas.<capability>.<module>.handler`.

        It has a role of its own that may write its log group and its traces, and nothing else: grant the rest.
        `errors_are_users`: its state machine knows some of its errors by name, and any error that it raises ends a
        launch with its type, by which launches that failed through the platform's fault raise an alarm. The function's
        own is then on invocations that Lambda throttles."""
        stack = StageStack.of(self)
        assert isinstance(stack, StageStack)  # a capability is part of a stage
        id_ = "".join(word.capitalize() for word in module.split("_"))
        name = f"{stack.settings.prefix}-{self._name}-{module}".replace("_", "-")
        group = self._monitoring.log_group(self, f"{id_}Logs")
        role = iam.Role(
            self, f"{id_}Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"), description=f"Function {name}"
        )
        group.grant_write(role)
        function = lambda_.Function(
            self,
            id_,
            function_name=name,
            description=description,
            code=self._code,
            handler=f"lambdas.{self._folder}.{module}.handler",
            runtime=lambda_.Runtime.PYTHON_3_14,
            architecture=lambda_.Architecture.ARM_64,
            layers=[self._layer, *further_packages],
            role=role,
            log_group=group,
            tracing=lambda_.Tracing.ACTIVE,
            timeout=timeout,
            memory_size=memory_mib,
            ephemeral_storage_size=temporary_storage,
            environment={
                Setting.STAGE: stack.settings.name,
                "POWERTOOLS_SERVICE_NAME": f"{self._name}.{module}",
                "POWERTOOLS_METRICS_NAMESPACE": PROJECT,
                "POWERTOOLS_LOG_LEVEL": "INFO",
                **{str(setting): value for setting, value in environment.items()},
            },
        )
        if errors_are_users:
            self._monitoring.alarm_of_throttled(self, f"{id_}Throttled", function)
        else:
            self._monitoring.alarm(
                self,
                f"{id_}Errors",
                metric=function.metric_errors(period=ALARM_PERIOD),
                threshold=1,
                description=f"The function {name} raised an error that it does not expect, or ran out of time or"
                " memory.",
            )
        return function


def sources_of(capability: str, compiler: Compiler | None, *, display_name: str) -> lambda_.Code:
    """What all functions share, and one capability's own, under their import names; with bytecode, if there is a
    compiler."""
    parts = [
        *_SHARED,
        *(name for name in (f"genolaunch/{capability}", f"lambdas/{capability}") if (REPOSITORY / name).exists()),
    ]
    return lambda_.Code.from_asset(
        str(REPOSITORY),
        ignore_mode=IgnoreMode.GIT,
        exclude=_everything_but(parts),
        bundling=BundlingOptions(
            image=DockerImage.from_registry("none"),  # demanded by the type; the local bundling succeeds or raises
            local=_WithBytecode(parts, compiler),
            environment={"BYTECODE": compiler.identity},  # part of the asset's hash
        )
        if compiler
        else None,
        display_name=display_name,
    )


@jsii.implements(ILocalBundling)
class _WithBytecode:
    """Copies sources of this repository, and compiles them."""

    def __init__(self, parts: Sequence[str], compiler: Compiler) -> None:
        self._parts = parts
        self._compiler = compiler

    def try_bundle(self, output_dir: str, *_: object, **__: object) -> bool:
        """Fill the folder."""
        folder = Path(output_dir)
        copy_sources({part: REPOSITORY / part for part in self._parts}, folder)
        self._compiler.compile(folder, CODE_PLACE)
        return True


def _everything_but(parts: Sequence[str]) -> list[str]:
    """Ignore patterns that leave these parts of the repository.

    Each level is closed before its exceptions are opened, so that the fingerprint never walks into .venv or
    node_modules.
    """
    return [
        *("/*", "!/genolaunch", "/genolaunch/*", "!/lambdas", "/lambdas/*"),
        *(f"!/{part}" for part in parts),
        "__pycache__",
    ]
