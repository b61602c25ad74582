"""Nothing in the repository looks like a key, a token or a password."""

import subprocess
from pathlib import Path

from detect_secrets.core.secrets_collection import SecretsCollection
from detect_secrets.settings import transient_settings

REPOSITORY = Path(__file__).parents[2]

# Long runs of letters and digits are these files' purpose: hashes of packages, and what a program computed.
HASHES = {"package-lock.json"}
SETTINGS = {
    "plugins_used": [
        {"name": name}
        for name in (
            *("AWSKeyDetector", "AzureStorageKeyDetector", "BasicAuthDetector", "GitHubTokenDetector"),
            *("GitLabTokenDetector", "JwtTokenDetector", "KeywordDetector", "NpmDetector", "PrivateKeyDetector"),
            *("PypiTokenDetector", "SlackDetector", "StripeDetector", "TwilioKeyDetector"),
        )
    ],
    "filters_used": [
        {"path": f"detect_secrets.filters.heuristic.{name}"}
        for name in ("is_templated_secret", "is_indirect_reference", "is_prefixed_with_dollar_sign")
    ],
}

NO_SECRETS = {"x", "test", "te st", "testing", "unused", "none"}
"""What clients of the embedded cloud and of moto are given, where a client cannot do without."""


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, check=True, text=True)
    paths = [Path(name) for name in listed.stdout.split("\0") if name]
    return [path for path in paths if path.name not in HASHES and not path.name.startswith("requirements")]


def found_in(paths: list[Path]) -> dict[tuple[str, str], list[int]]:
    """(file, kind) -> lines."""
    secrets = SecretsCollection(root=str(REPOSITORY))
    with transient_settings(SETTINGS):
        for path in paths:
            secrets.scan_file(str(path))
    found: dict[tuple[str, str], list[int]] = {}
    for file, secret in secrets:
        if secret.secret_value not in NO_SECRETS:
            found.setdefault((file, secret.type), []).append(secret.line_number)
    return found


def test_no_secret_is_in_the_repository():
    assert found_in(tracked()) == {}


def test_a_secret_would_be_found(tmp_path):
    key = "AKIA" + "QWERTYUIOPASDFGH"
    (tmp_path / "settings.py").write_text(f'aws_access_key_id = "{key}"\n')
    secrets = SecretsCollection(root=str(tmp_path))
    with transient_settings(SETTINGS):
        secrets.scan_file("settings.py")

    assert [secret.type for _, secret in secrets] == ["AWS Access Key"]
