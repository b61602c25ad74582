"""The scientists' command line, and the library behind it.

It talks to a deployed stage through AWS's own interfaces only: S3, DynamoDB, Step Functions, Batch, CloudWatch Logs
and SSM. Which account and region (or which embedded cloud, by AWS_ENDPOINT_URL) is what the ordinary AWS environment
says. `boto3` and `rich` are imported where they are used, so that `genolaunch --help` answers at once.
"""
