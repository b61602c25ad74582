"""Which registry an image is of, and what a job definition has besides where that is private."""

import pytest

from lambdas.regenie.images import Images
from lambdas.shared.registries import of_private_image, registry_of

KNOWN = {"registry.example.org": "arn:aws:secretsmanager:eu-west-1:111111111111:secret:registry-AbCdEf"}


@pytest.mark.parametrize(
    ("image", "registry"),
    [
        ("python:3.12", "docker.io"),
        ("4dndcic/tibanna-awsf:6.1.0", "docker.io"),
        ("quay.io/biocontainers/samtools:1.21", "quay.io"),
        ("localhost/genolaunch-regenie:4.1.2", "localhost"),
        ("registry.example.org:5000/lab/tools@sha256:0", "registry.example.org:5000"),
    ],
)
def test_the_registry_of_an_image(image, registry):
    assert registry_of(image) == registry


def test_only_an_image_of_a_private_registry_has_credentials():
    private = of_private_image("registry.example.org/lab/tools:1", KNOWN)

    assert private == {"RepositoryCredentials": {"CredentialsParameter": KNOWN["registry.example.org"]}}
    assert of_private_image("quay.io/biocontainers/samtools:1.21", KNOWN) == {}


def test_a_stages_images_bring_their_registries_credentials():
    text = '{"versions": {"4.1.2": "registry.example.org/regenie:4.1.2"}, "default": "4.1.2"'

    assert Images.read(text + "}").credentials == {}
    assert Images.read(text + ', "credentials": {"registry.example.org": "arn"}}').credentials["registry.example.org"]
