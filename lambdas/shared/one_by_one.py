"""Acts on launches one by one, so that an error of one does not stop the others."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from genolaunch.shared.launch_item import LaunchItemError
from lambdas.shared.observability import logger, tell_of_sick_launch


@dataclass(frozen=True, slots=True)
class OneByOne:
    """A round over launches."""

    fault: str
    """A sentence for the log: what did not happen to a launch."""
    failed: list[str] = field(default_factory=list)
    """Launches to which it did not, but for those whose items cannot be read: these have a metric of their own."""

    @contextmanager
    def launch(self, launch_id: str) -> Iterator[None]:
        """Context manager for the work on one launch: an error is logged and counted, and goes no further."""
        try:
            yield
        except LaunchItemError as error:
            tell_of_sick_launch(error)
        except Exception:
            logger.exception(self.fault, extra={"launchId": launch_id})
            self.failed.append(launch_id)

    def raise_if_any(self) -> None:
        """RuntimeError, for the function's alarm, when something failed: at the end of the round, never within it."""
        if self.failed:
            raise RuntimeError(f"{self.fault}: {len(self.failed)} launches, {', '.join(self.failed[:20])}")
