"""What botocore's models say and AWS does not do, each with its reason. All else of a model is checked."""

from typing import Final, NamedTuple


class Exemption(NamedTuple):
    """A shape whose constraint is not checked."""

    service: str
    """botocore's name."""
    shape: str
    constraint: str
    """`enum`, `pattern`, `length`, `range` or `required`."""
    taken: object
    """A value that AWS takes and the model refuses."""
    reason: str


EXEMPT: Final[tuple[Exemption, ...]] = (
    Exemption(
        "ec2",
        "InstanceType",
        "enum",
        "z9.large",
        "EC2 gets new instance types every few weeks; the pinned model knows those of its own day.",
    ),
)


def is_exempt(service: str, shape: str, constraint: str) -> bool:
    """Whether a constraint of a service's shape is not checked."""
    return (service, shape, constraint) in _KEYS


_KEYS: Final = frozenset((one.service, one.shape, one.constraint) for one in EXEMPT)
