"""Roles of the CDK's bootstrap stack, with which the CDK command line and its pipelines publish and deploy."""

from aws_cdk import DefaultStackSynthesizer, Stack


def bootstrap_role_arn(stack: Stack, name: str, *, account: str, region: str) -> str:
    """The ARN of `deploy-role`, `image-publishing-role` and so on where a stage is deployed to.

    Their names are those of the bootstrap's template (aws-cdk, lib/api/bootstrap), with the app's own qualifier.
    """
    qualifier = stack.node.try_get_context("@aws-cdk/core:bootstrapQualifier")
    qualifier = qualifier or DefaultStackSynthesizer.DEFAULT_QUALIFIER
    return f"arn:{stack.partition}:iam::{account}:role/cdk-{qualifier}-{name}-{account}-{region}"
