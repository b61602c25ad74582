"""With which keys a container calls AWS. Unless somebody gives it keys, that is left to the runner: the owner's."""

from collections.abc import Callable, Mapping

Environment = Callable[[str | None, str | None, str, str], Mapping[str, str]]
"""From the ARNs of a container's own role and of its execution role, its log group, and the name of its session:
variables with its keys.

Raises ContainerStartError when the execution role may not do what starting the container takes.
"""


def _owners(_role: str | None, _execution_role: str | None, _log_group: str, _session: str) -> Mapping[str, str]:
    return {}


_environment: Environment = _owners


def give_keys(environment: Environment) -> None:
    """Let containers that start from now on have the keys of their roles."""
    global _environment
    _environment = environment


def environment_of(
    role: str | None, execution_role: str | None, log_group: str, session: str = "container"
) -> Mapping[str, str]:
    """Variables for a container's environment. Raises ContainerStartError."""
    return _environment(role, execution_role, log_group, session)
