"""A pipe from a table's stream to a state machine."""

import json
from collections.abc import Mapping
from typing import Any, Final

from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_pipes as pipes
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from stacks.constructs.monitoring import Monitoring
from stacks.constructs.queues import DeadLetterQueue, allow_sending

# A record that fails blocks its shard: ten tries over at most an hour, then it goes to the dead letters.
_RETRIES: Final = 10
_RECORD_AGE_SECONDS: Final = 3600


class StreamPipe(Construct):
    """Starts one execution for each change of the table that the filter lets through, and does not wait for it."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        monitoring: Monitoring,
        table: dynamodb.Table,
        machine: sfn.IStateMachine,
        pattern: Mapping[str, Any],
        execution_input: Mapping[str, str],
    ) -> None:
        """Args: `pattern` of the stream record, `execution_input` with `<$.path>` of the record as values."""
        super().__init__(scope, id_)
        assert table.table_stream_arn is not None, "the table has a stream"
        dead_letters = DeadLetterQueue(
            self, "DeadLetters", monitoring=monitoring, holds=f"a change in {table.node.id} that started no execution"
        )
        role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("pipes.amazonaws.com"))
        table.grant_stream_read(role)
        machine.grant_start_execution(role)
        allow_sending(role, dead_letters.queue)
        pipe = pipes.CfnPipe(
            self,
            "Pipe",
            role_arn=role.role_arn,
            source=table.table_stream_arn,
            source_parameters=pipes.CfnPipe.PipeSourceParametersProperty(
                filter_criteria=pipes.CfnPipe.FilterCriteriaProperty(
                    filters=[pipes.CfnPipe.FilterProperty(pattern=json.dumps(pattern))]
                ),
                dynamo_db_stream_parameters=pipes.CfnPipe.PipeSourceDynamoDBStreamParametersProperty(
                    # One launch an execution; nothing is lost between deployment and the first poll.
                    batch_size=1,
                    starting_position="TRIM_HORIZON",
                    maximum_retry_attempts=_RETRIES,
                    maximum_record_age_in_seconds=_RECORD_AGE_SECONDS,
                    dead_letter_config=pipes.CfnPipe.DeadLetterConfigProperty(arn=dead_letters.queue.queue_arn),
                ),
            ),
            target=machine.state_machine_arn,
            target_parameters=pipes.CfnPipe.PipeTargetParametersProperty(
                input_template=json.dumps(execution_input),
                step_function_state_machine_parameters=pipes.CfnPipe.PipeTargetStateMachineParametersProperty(
                    invocation_type="FIRE_AND_FORGET"
                ),
            ),
        )
        # Creating a pipe tries its permissions at once.
        pipe.node.add_dependency(role)
