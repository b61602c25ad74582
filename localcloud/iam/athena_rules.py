"""What calls of Athena and of Glue's Data Catalog need.

Athena reads the tables and the data, and writes the results, in the name of whoever starts the query.
"""

import re
from collections.abc import Mapping
from typing import Final

from localcloud.clients import ACCOUNT, REGION
from localcloud.iam.key_rules import with_key
from localcloud.iam.model import Call, Cloud, Context, Need, Rule, arn

_TABLE: Final = re.compile(r"\b(?:FROM|JOIN)\s+(\w+)\.(\w+)", re.IGNORECASE)
_UNLOADED_TO: Final = re.compile(r"\bTO\s+'s3://([^/']+)/([^']*)'", re.IGNORECASE)
_PROJECTED: Final = "projection.enabled"


def _start(call: Call, cloud: Cloud) -> list[Need]:
    query = call.params.get("QueryString", "")
    output = (call.params.get("ResultConfiguration") or {}).get("OutputLocation", "").removeprefix("s3://")
    needs = [
        Need(call.action, _work_group(call.params.get("WorkGroup", "primary")), call.context),
        # "Run Athena queries with Step Functions": whoever starts a query looks at the catalog.
        Need("athena:GetDataCatalog", arn("athena", "datacatalog", "AwsDataCatalog")),
        # "Access to databases and tables in the AWS Glue Data Catalog": on the default database, whatever is queried.
        *(Need("glue:GetDatabase", one) for one in _in_catalog("default")),
    ]
    for database, table in _TABLE.findall(query):
        needs += _reading(database, table, cloud)
    for bucket, _, prefix in (output.partition("/"), *((b, "/", p) for b, p in _UNLOADED_TO.findall(query))):
        needs += [Need("s3:GetBucketLocation", f"arn:aws:s3:::{bucket}")]
        needs += with_key("s3:PutObject", f"arn:aws:s3:::{bucket}/{prefix}any", cloud)
    return needs


def _reading(database: str, table: str, cloud: Cloud) -> list[Need]:
    found = cloud.glue_table(database, table)
    bucket, _, prefix = found.get("StorageDescriptor", {}).get("Location", "").removeprefix("s3://").partition("/")
    # Athena lists no partitions of a table that says where they are ("Partition projection with Amazon Athena").
    projected = (found.get("Parameters") or {}).get(_PROJECTED) == "true"
    return [
        *(Need("glue:GetDatabase", one) for one in _in_catalog(database)),
        *(
            Need(f"glue:{action}", one)
            for action in ("GetTable", *(() if projected else ("GetPartitions",)))
            for one in _in_catalog(database, table)
        ),
        Need("s3:GetBucketLocation", f"arn:aws:s3:::{bucket}"),
        Need("s3:ListBucket", f"arn:aws:s3:::{bucket}"),
        *with_key("s3:GetObject", f"arn:aws:s3:::{bucket}/{prefix}any", cloud),
    ]


def _existing_query(call: Call, cloud: Cloud) -> list[Need]:
    return [Need(call.action, _work_group(cloud.work_group_of_query(call.params["QueryExecutionId"])), call.context)]


def _on_database(call: Call, cloud: Cloud) -> list[Need]:
    del cloud
    return _on(call.action, _in_catalog(call.params["Name"]), call.context)


def _on_table(call: Call, cloud: Cloud) -> list[Need]:
    del cloud
    table = call.params.get("TableName") or call.params["Name"]
    return _on(call.action, _in_catalog(call.params["DatabaseName"], table), call.context)


def _on(action: str, resources: list[str], context: Context) -> list[Need]:
    """Glue checks a resource and what it lies in ("AWS Glue resource ARNs": all ancestors are needed)."""
    return [Need(action, resource, context) for resource in resources]


def _in_catalog(database: str, table: str | None = None) -> list[str]:
    names = ["catalog", f"database/{database}", *([f"table/{database}/{table}"] if table else [])]
    return [f"arn:aws:glue:{REGION}:{ACCOUNT}:{name}" for name in names]


def _work_group(name: str) -> str:
    return arn("athena", "workgroup", name)


RULES: Final[Mapping[str, Rule]] = {
    "athena:StartQueryExecution": _start,
    "athena:GetQueryExecution": _existing_query,
    "athena:StopQueryExecution": _existing_query,
    "glue:GetDatabase": _on_database,
    **{
        f"glue:{action}": _on_table
        for action in ("GetTable", "GetPartition", "GetPartitions", "CreatePartition", "UpdatePartition")
    },
}
