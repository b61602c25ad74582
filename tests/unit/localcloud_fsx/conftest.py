"""An FSx service whose S3 is moto's."""

import boto3
import pytest
from moto import mock_aws

from tests.unit.localcloud_fsx.support import Cloud

BUCKETS = ("data-bucket", "results-bucket")


@pytest.fixture(scope="module")
def s3():
    """One client for a module: making one takes longer than a test."""
    with mock_aws():
        client = boto3.client("s3", "eu-west-1", aws_access_key_id="test", aws_secret_access_key="test")
        for bucket in BUCKETS:
            client.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        yield client


@pytest.fixture
def cloud(tmp_path, s3):
    cloud = Cloud(tmp_path, s3)
    yield cloud
    cloud.fsx.close()
    for bucket in BUCKETS:
        for each in s3.list_objects_v2(Bucket=bucket).get("Contents", []):
            s3.delete_object(Bucket=bucket, Key=each["Key"])
