"""The account that is examined: its clients, the stage's settings, and how long AWS may take to answer."""

from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from genolaunch.contract.project import PROJECT, TAG_PROJECT, TAG_STAGE
from genolaunch.platform import new_session

if TYPE_CHECKING:
    import boto3

    from stacks.config import StageSettings

DEFAULT_QUALIFIER: Final = "hnb659fds"
"""Of a bootstrap with which nobody gave one (AWS CDK developer guide, "Customize CDK bootstrapping")."""

_CONNECT_SECONDS: Final = 5
_READ_SECONDS: Final = 15
_ATTEMPTS: Final = 3


class Account:
    """Clients of the stage's region. Checks run on several threads: clients may be shared, sessions may not."""

    def __init__(
        self,
        settings: "StageSettings",
        *,
        qualifier: str = DEFAULT_QUALIFIER,
        builds: int = 0,
        session: "boto3.Session | None" = None,
    ) -> None:
        """`qualifier`: of the CDK's bootstrap, if cdk.json names one. `builds`: of CodeBuild that run here at once."""
        self.settings = settings
        self.builds = builds
        self.qualifier = qualifier
        self._given_session = session
        self._clients: dict[str, Any] = {}
        self._lock = Lock()

    def client(self, service: str) -> Any:  # noqa: ANN401 - each service has a type of its own
        """The client of a service, made once."""
        with self._lock:
            if service not in self._clients:
                self._clients[service] = self._session.client(service, region_name=self.settings.region)
            return self._clients[service]

    def is_own(self, resource: dict[str, Any]) -> bool:
        """Whether a resource with `Tags` is this stage's: what it has already, it need not get."""
        tags = {tag["Key"]: tag["Value"] for tag in resource.get("Tags", [])}
        return tags.get(TAG_PROJECT) == PROJECT and tags.get(TAG_STAGE) == self.settings.name

    def edit(self, key: str) -> str:
        """What to do where a setting has to change."""
        return f"edit context.stages.{self.settings.name}.{key} in cdk.json"

    @cached_property
    def _session(self) -> "boto3.Session":
        if self._given_session is not None:
            return self._given_session
        return new_session(
            connect_timeout=_CONNECT_SECONDS,
            read_timeout=_READ_SECONDS,
            retries={"mode": "standard", "max_attempts": _ATTEMPTS},
        )
