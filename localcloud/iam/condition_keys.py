"""The condition keys whose values this cloud knows. A policy that names another one allows nothing by it.

A key without a value in the request makes some conditions true (`…IfExists`, `ForAllValues:…`, `Null`, `…NotEquals`).
If one were taken for absent that AWS would have sent, this cloud would allow what AWS refuses.
"""

from typing import Final

_KNOWN: Final = frozenset(
    {
        # ministack's own
        *("aws:currenttime", "aws:epochtime", "aws:multifactorauthpresent", "aws:principalaccount", "aws:principalarn"),
        *("aws:principalorgid", "aws:principaltype", "aws:requestedregion", "aws:resourceaccount"),
        *("aws:securetransport", "aws:sourceip", "aws:tagkeys", "aws:tokenissuetime", "aws:userid", "aws:username"),
        *("dynamodb:enclosingoperation", "dynamodb:select"),
        *("s3:dataaccesspointarn", "s3:delimiter", "s3:max-keys", "s3:prefix", "s3:resourceaccount"),
        # of a service that calls in somebody's name
        *("aws:calledvia", "aws:sourceaccount", "aws:sourcearn"),
        # those of this package's rules
        *("batch:image", "batch:privileged", "batch:shareidentifier", "batch:user"),
        *("dynamodb:attributes", "dynamodb:leadingkeys", "dynamodb:returnvalues"),
        *("ec2:createaction", "ec2:encrypted", "ec2:instanceprofile", "ec2:instancetype"),
        *("ecs:cluster", "ecs:createaction"),
        *("iam:awsservicename", "iam:passedtoservice", "iam:permissionsboundary", "iam:policyarn"),
    }
)

_FAMILIES: Final = (
    *("aws:principaltag/", "aws:requesttag/", "aws:resourcetag/"),
    *("ec2:resourcetag/", "ssm:resourcetag/"),
    *("s3:existingobjecttag/", "s3:x-amz-"),
)


def is_known(key: str) -> bool:
    """Whether requests here carry this key where those to AWS do."""
    name = key.lower()
    return name in _KNOWN or name.startswith(_FAMILIES)
