"""Writes usage to the usage table, and asks AWS for details that events do not contain."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from genolaunch.contract.usage import (
    USAGE_EXCLUSIVE_PREFIX,
    USAGE_INSTANCE,
    USAGE_JOB_PREFIX,
    USAGE_OF_INSTANCE,
    USAGE_OF_TIBANNA_JOB,
    USAGE_TASK_PREFIX,
    UsageField,
)
from lambdas.pricing import ec2_lookup
from lambdas.pricing.ec2_lookup import ContainerInstance, FoundInstance
from lambdas.pricing.events import InstanceFact, JobFact, TaskFact
from lambdas.pricing.usage import InstanceUse
from lambdas.pricing.usage_table import UsageTable, instance_values
from lambdas.shared.clock import timestamp
from lambdas.shared.run_names import Owner


@dataclass
class Recorder:
    """Records usage. For the life of the process it remembers the instance of each container instance."""

    table: UsageTable
    stage: str
    _known: dict[str, ContainerInstance] = field(default_factory=dict)
    _recorded: set[str] = field(default_factory=set)
    """Ids of instances whose own items are complete."""

    def jobs(self, facts: Iterable[JobFact]) -> None:
        """Record attempts of jobs, and the instances that they run on."""
        facts = list(facts)
        self._find_container_instances(fact.container_instance for fact in facts)
        self._record_hosts(
            {each.instance_id: each for fact in facts if (each := self._known.get(fact.container_instance or ""))}
        )
        for fact in facts:
            host = self._known.get(fact.container_instance or "")
            values = {**fact.values, UsageField.INSTANCE_ID: host.instance_id if host else None}
            self.table.record(fact.owner.launch_id, USAGE_JOB_PREFIX + fact.task, values)

    def tasks(self, facts: Iterable[TaskFact]) -> None:
        """Record Fargate tasks."""
        for fact in facts:
            self.table.record(fact.owner.launch_id, USAGE_TASK_PREFIX + fact.task, fact.values)

    def instances(self, facts: Iterable[InstanceFact]) -> None:
        """Record the states of instances that are in the table, and of others that belong to a launch."""
        facts = list(facts)
        known = self.table.instances(fact.instance_id for fact in facts)
        strangers = [fact.instance_id for fact in facts if fact.instance_id not in known]
        found = ec2_lookup.instances(strangers) if strangers else {}
        for each in found.values():
            self._adopt(each)
        for fact in facts:
            if fact.instance_id in known or self._is_ours(found.get(fact.instance_id)):
                self._record_state(fact)

    def tibannas(self, owner: Owner, found: Iterable[FoundInstance]) -> None:
        """Record Tibanna's instances for the attempt of a launch whose jobs they ran."""
        for each in found:
            self._adopt(each)
            if each.tibanna_job:
                self.exclusive(owner, each.use.id, each.tibanna_job)

    def exclusive(self, owner: Owner, instance_id: str, job_id: str) -> None:
        """Record that only one attempt of a launch uses an instance."""
        values = {UsageField.ATTEMPT: owner.attempt, UsageField.INSTANCE_ID: instance_id, UsageField.JOB_ID: job_id}
        self.table.record(owner.launch_id, USAGE_EXCLUSIVE_PREFIX + instance_id, values)

    def _is_ours(self, found: FoundInstance | None) -> bool:
        return found is not None and (found.is_stages(self.stage) or found.tibanna_job is not None)

    def _adopt(self, found: FoundInstance) -> None:
        """Record an instance of Batch, or one of Tibanna's with its job, whose launch the launcher's list names."""
        if not self._is_ours(found):
            return
        self.table.record(USAGE_OF_INSTANCE + found.use.id, USAGE_INSTANCE, instance_values(found.use))
        if found.tibanna_job:
            values = {UsageField.INSTANCE_ID: found.use.id}
            self.table.record(USAGE_OF_TIBANNA_JOB + found.tibanna_job, USAGE_INSTANCE, values)

    def _record_state(self, fact: InstanceFact) -> None:
        ended = fact.state in {"shutting-down", "terminated", "stopped"}
        interrupted = fact.is_interrupted or (ended and self._was_taken_back(fact.instance_id))
        values = {
            UsageField.IS_INTERRUPTED: True if interrupted else None,
            UsageField.STOPPED_AT: fact.at if ended else None,
        }
        self.table.record(USAGE_OF_INSTANCE + fact.instance_id, USAGE_INSTANCE, values)

    @staticmethod
    def _was_taken_back(instance_id: str) -> bool:
        found = ec2_lookup.instances([instance_id]).get(instance_id)
        return found is not None and found.use.is_interrupted

    def _find_container_instances(self, arns: Iterable[str | None]) -> None:
        missing = {arn for arn in arns if arn and arn not in self._known}
        self._known.update({each.arn: each for each in ec2_lookup.container_instances(missing)} if missing else {})

    def _record_hosts(self, hosts: dict[str, ContainerInstance]) -> None:
        missing = [id_ for id_ in hosts if id_ not in self._recorded]
        for id_, found in (ec2_lookup.instances(missing) if missing else {}).items():
            use = with_resources(found.use, hosts[id_])
            self.table.record(USAGE_OF_INSTANCE + id_, USAGE_INSTANCE, instance_values(use))
            if use.volumes:
                self._recorded.add(id_)


def with_resources(use: InstanceUse, host: ContainerInstance) -> InstanceUse:
    """Return the instance with the vCPUs and memory that its containers share."""
    return replace(use, vcpus=host.vcpus or use.vcpus, memory_mib=host.memory_mib)


def stop_values(use: InstanceUse, otherwise: str) -> dict[str, object]:
    """Return the end of an instance that has ended; `otherwise` if AWS no longer has its time."""
    return {UsageField.STOPPED_AT: timestamp(use.stopped_at) if use.stopped_at else otherwise}
