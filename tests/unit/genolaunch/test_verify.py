"""`genolaunch verify`: what it prints, its exit codes, and what it says where no launch is named."""

import json

import pytest

ETAG = "9dd4e461268c8034f5c8564e155c67a6"  # of b"x"


@pytest.fixture
def described(content):
    """Given: a launch with a file, an input, and their description."""
    content.launch(status="COMPLETE")
    content.result("report.html")
    content.platform.s3.put_object(Bucket="data-bucket-1", Key="cohort/cohort.bed", Body=b"x")
    file = {"@type": "File", "contentSize": "1", "etag": ETAG}
    crate = {
        "@graph": [
            {
                "@id": "./",
                "@type": "Dataset",
                "identifier": "height-1",
                "datePublished": "2026-11-21T05:00:00.000+00:00",
                "hasPart": [{"@id": "report.html"}, {"@id": "s3://data-bucket-1/cohort/cohort.bed"}],
            },
            {"@id": "#attempt-1", "@type": "CreateAction", "object": {"@id": "s3://data-bucket-1/cohort/cohort.bed"}},
            {"@id": "report.html", **file},
            {"@id": "s3://data-bucket-1/cohort/cohort.bed", **file},
        ]
    }
    content.result("ro-crate-metadata.json", json.dumps(crate).encode())
    return content


def test_what_is_as_described_ends_with_0(described, genolaunch):
    done = genolaunch("verify", "height-1")

    assert done.exit_code == 0, done.stderr
    assert done.stdout == "1 output: 1 as described (1 by size and ETag).\n"


def test_what_is_not_ends_with_1_and_is_named(described, genolaunch):
    described.result("report.html", b"longer")

    done = genolaunch("verify", "height-1")

    assert done.exit_code == 1
    assert done.stdout.splitlines() == [
        "1 output: 0 as described.",
        "  changed: s3://results-bucket-1/results/height-1/report.html (size 1 → 6 bytes)",
    ]


def test_inputs_are_compared_if_asked_for(described, genolaunch):
    described.platform.s3.delete_object(Bucket="data-bucket-1", Key="cohort/cohort.bed")

    assert genolaunch("verify", "height-1").exit_code == 0
    done = genolaunch("verify", "height-1", "--inputs")

    assert done.exit_code == 1
    assert "  missing: s3://data-bucket-1/cohort/cohort.bed (it is not there)" in done.stdout.splitlines()


def test_scripts_get_the_same_as_json(described, genolaunch):
    described.result("report.html", b"longer")

    done = genolaunch("verify", "height-1", "--json")

    assert done.exit_code == 1
    assert json.loads(done.stdout) == {
        "launchId": "height-1",
        "attempt": 1,
        "describedAt": "2026-11-21T05:00:00.000+00:00",
        "crate": "s3://results-bucket-1/results/height-1/ro-crate-metadata.json",
        "files": [
            {
                "uri": "s3://results-bucket-1/results/height-1/report.html",
                "role": "output",
                "state": "changed",
                "checked": "size",
                "difference": "size 1 → 6 bytes",
            }
        ],
        "holds": False,
    }


def test_a_later_attempt_is_told(described, genolaunch):
    described.launch(status="RUNNING", attempt={"N": "2"})

    done = genolaunch("verify", "height-1")

    assert done.stdout.startswith("The description is of attempt 1; the launch is at attempt 2.\n")


def test_a_launch_without_a_description_ends_with_3(content, genolaunch):
    content.launch(status="COMPLETE")

    done = genolaunch("verify", "height-1")

    assert done.exit_code == 3
    assert "has no description of its run" in done.stderr


def test_without_a_launch_the_other_command_is_named(aws, genolaunch):
    """`verify` once tried a new deployment, which `verify-stage` does."""
    done = genolaunch("verify")

    assert done.exit_code == 2
    assert "genolaunch verify-stage" in done.stderr
