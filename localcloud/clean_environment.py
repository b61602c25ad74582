"""What the embedded cloud's process sees of the environment of whoever starts it.

Functions run other people's code and begin with the cloud's environment (less what lambda_worker takes away). On AWS
they see nothing of a developer's shell: here neither, be it a profile, or a token of another tool. Jobs and instances
are given what they have, variable by variable.
"""

from collections.abc import Mapping
from typing import Final

_KEPT: Final = frozenset(
    {
        *("HOME", "LANG", "LD_LIBRARY_PATH", "LOGNAME", "PATH", "TZ", "USER"),
        *("CC", "LOG_LEVEL", "REQUESTS_CA_BUNDLE", "SSL_CERT_DIR", "SSL_CERT_FILE"),
        *("all_proxy", "http_proxy", "https_proxy", "no_proxy"),
    }
)
APP_SETTINGS: Final = "GENOLAUNCH_"
"""How the names of settings begin that the module of images may read."""
_KEPT_PREFIXES: Final = ("DOCKER_", APP_SETTINGS, "LC_", "LOCALCLOUD_", "PIP_", "UV_")
"""Docker is asked for; settings of this package, and of the app whose images it runs; where packages for the
environments of jobs come from."""


def of_a_server(environment: Mapping[str, str]) -> dict[str, str]:
    """What the cloud needs: where programs are, package indexes, proxies, and this project's settings."""
    return {
        name: value
        for name, value in environment.items()
        if name in _KEPT or name.lower() in _KEPT or name.startswith(_KEPT_PREFIXES)
    }
