"""Takes jobs from SUBMITTED to their end: dependencies, arrays, host cores, attempts, termination.

All state is guarded by one lock; only running containers and listeners work outside it. A job costs O(1) work for each
change of its status, whatever the number of its siblings.
"""

import itertools
import logging
import threading
import uuid
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

from localcloud.batch.events import Listener, Notifier
from localcloud.batch.job import (
    FINAL,
    STARTED,
    Attempt,
    EndListener,
    Job,
    JobStatus,
    Submission,
    describe_job,
    now_ms,
    unstarted,
)
from localcloud.batch.job_events import queue_blocked, state_change
from localcloud.batch.patience import Limits, Patience
from localcloud.batch.runner import StopRequest, StopSignal

logger = logging.getLogger(__name__)

TIMED_OUT = StopRequest("Job attempt duration exceeded timeout")
SHUT_DOWN = StopRequest("The local cloud was shut down")
DEPENDENCY_FAILED = "Dependent Job failed"
CHILD_FAILED = "Array Child Job failed"
CONTAINER_EXITED = "Essential container in task exited"


class Queues(Limits, Protocol):
    """What the scheduler must know about job queues."""

    def priority(self, queue_arn: str) -> int:
        """The queue's priority; higher goes first."""

    def can_run(self, queue_arn: str) -> bool:
        """Whether an enabled compute environment serves the queue."""


class AttemptRunner(Protocol):
    """Runs one attempt of a job."""

    def prepare(self, job: Job) -> Attempt:
        """Name the attempt's task and log stream."""

    def run(self, job: Job, attempt: Attempt, stop: StopSignal, started: Callable[[], None]) -> None:
        """Run `attempt` to its end and note in it how it ended. Calls `started` when the container runs."""


class Scheduler:
    """The jobs and what happens to them."""

    def __init__(
        self, queues: Queues, attempts: AttemptRunner, cores: int, arn_prefix: str, clock_speed: float
    ) -> None:
        """`cores`: what running jobs may take together. `arn_prefix`: a job's ARN without its id.

        `clock_speed`: seconds of the queues' time limits in one second.
        """
        self._queues = queues
        self._attempt_runner = attempts
        self._cores = cores
        self._free_cores = cores
        self._arn_prefix = arn_prefix
        self._lock = threading.RLock()
        self._jobs: dict[str, Job] = {}
        self._submitted: list[Job] = []
        self._runnable: dict[str, deque[Job]] = {}
        self._sequence = itertools.count()
        self._listeners: list[Listener] = []
        self._notifier = Notifier()
        # A job takes at least one core, so there are never more running ones than cores.
        self._workers = ThreadPoolExecutor(cores, thread_name_prefix="batch-job")
        self._patience = Patience(queues, clock_speed, self._announce_blocked, self._give_up)
        self._closing = False

    # --- What the API asks -------------------------------------------------------------------------------------------
    def submit(self, submission: Submission) -> Job:
        """Take in a job; it may be running when this returns."""
        with self._lock:
            job = self._add(submission)
            self._set_status(job, JobStatus.PENDING)
            for doomed in self._block(job, submission):
                self._fail_unstarted(doomed, DEPENDENCY_FAILED)
            if not job.is_blocked:
                self._release(job)
            self._dispatch()
            return job

    def find(self, job_id: str) -> Job | None:
        """The job, parent or child, of this id. Waits for nobody: IAM asks for a job's tags (BatchService.call)."""
        return self._jobs.get(job_id)

    def read(self, job_ids: Iterable[str], view: Callable[[Job], dict[str, Any]]) -> list[dict[str, Any]]:
        """Views of the jobs that exist, in the order asked for, each consistent in itself."""
        with self._lock:
            return [view(self._jobs[job_id]) for job_id in job_ids if job_id in self._jobs]

    def select(self, wanted: Callable[[Job], bool]) -> list[Job]:
        """Jobs that are no array's child and are wanted, oldest first."""
        with self._lock:
            return [job for job in self._submitted if wanted(job)]

    def cancel(self, job: Job, reason: str) -> None:
        """End what has not been started. A job, or children, that run already go on."""
        with self._lock:
            self._mark_cancelled(job)
            self._fail_unstarted(job, reason)
            self._dispatch()

    def terminate(self, job: Job, reason: str) -> None:
        """End the job and its children, also those that run."""
        with self._lock:
            for each in (job, *job.children):
                if not each.ended:
                    each.terminated = True
            self._fail_unstarted(job, reason)
            for each in (job, *job.children):
                if each.stop is not None:
                    each.stop.request(StopRequest(reason))
            self._dispatch()

    def subscribe(self, listener: Listener) -> None:
        """Call `listener` with what EventBridge is told: each change of a job's status, each queue that is blocked."""
        with self._lock:
            self._listeners.append(listener)

    def on_end(self, job: Job, listener: EndListener) -> None:
        """Call `listener` once with the job's detail when the job has ended, soon if it has already."""
        with self._lock:
            if job.ended:
                self._notifier.post(listener, describe_job(job))
            else:
                job.end_listeners.append(listener)

    def requeue(self) -> None:
        """Look again at what can run: a queue or compute environment has changed."""
        with self._lock:
            self._dispatch()

    def hold_back(self, job_name: str, reason: str) -> None:
        """Let jobs whose name matches the glob stay RUNNABLE for this reason."""
        with self._lock:
            self._patience.hold_back(job_name, reason)

    def close(self) -> None:
        """Stop running containers, start no more, and wait until they are gone."""
        with self._lock:
            self._closing = True
            self._patience.close()
            running = [job.stop for job in self._jobs.values() if job.stop is not None]
        for stop in running:
            stop.request(SHUT_DOWN)
        self._workers.shutdown()
        self._notifier.close()

    # --- Submission and dependencies ---------------------------------------------------------------------------------
    def _add(self, submission: Submission) -> Job:
        job_id = str(uuid.uuid4())
        job = self._make(job_id, submission, None, None)
        if submission.array_size is not None:
            job.children = [
                self._make(f"{job_id}:{index}", submission, job, index) for index in range(submission.array_size)
            ]
            job.child_statuses[JobStatus.PENDING] = len(job.children)
        self._submitted.append(job)
        return job

    def _make(self, job_id: str, submission: Submission, parent: Job | None, index: int | None) -> Job:
        job = Job(
            id=job_id,
            arn=self._arn_prefix + job_id,
            spec=submission.spec,
            sequence=next(self._sequence),
            tags=dict(submission.tags),
            parent=parent,
            index=index,
            status=JobStatus.SUBMITTED if parent is None else JobStatus.PENDING,
        )
        self._jobs[job_id] = job
        return job

    def _block(self, job: Job, submission: Submission) -> list[Job]:
        """Note whom the job and its children wait for. Answers those of them that wait for a job that has failed."""
        pairs = [
            *((job, before) for before in submission.after),
            *(
                pair
                for before in submission.after_same_index
                for pair in zip(job.children, before.children, strict=True)
            ),
            *(itertools.pairwise(reversed(job.children)) if submission.sequential else ()),
        ]
        for waiting, before in pairs:
            if not before.ended:
                waiting.blockers += 1
                before.dependents.append(waiting)
        return [waiting for waiting, before in pairs if before.status is JobStatus.FAILED]

    def _release(self, job: Job) -> None:
        """What the job waited for has succeeded: it, or each child that waits for nothing else, may run."""
        for each in job.children or (job,):
            if not each.is_blocked and not each.ended:
                self._set_status(each, JobStatus.RUNNABLE)
                self._runnable.setdefault(each.spec.queue_arn, deque()).append(each)

    # --- Endings -----------------------------------------------------------------------------------------------------
    def _mark_cancelled(self, job: Job) -> None:
        for each in (job, *job.children):
            if not each.ended and each.status not in STARTED:
                each.cancelled = True

    def _fail_unstarted(self, job: Job, reason: str) -> None:
        if job.children and not job.ended:
            job.ending_reason = reason
        self._end([(each, JobStatus.FAILED, reason) for each in unstarted(job)])

    def _end(self, endings: Iterable[tuple[Job, JobStatus, str]]) -> None:
        """End jobs, and whatever ends or may start because of that. A loop: a chain of dependants may be long."""
        waiting = deque(endings)
        while waiting:
            job, status, reason = waiting.popleft()
            if job.ended:
                continue
            self._set_status(job, status, reason)
            waiting.extend(self._consequences(job))

    def _consequences(self, job: Job) -> Iterator[tuple[Job, JobStatus, str]]:
        for dependent in job.dependents:
            if job.status is JobStatus.FAILED:
                if dependent.children:
                    dependent.ending_reason = DEPENDENCY_FAILED
                yield from ((each, JobStatus.FAILED, DEPENDENCY_FAILED) for each in unstarted(dependent))
            else:
                dependent.blockers -= 1
                if not dependent.is_blocked:
                    self._release(dependent)
        if job.parent is not None and job.parent.unfinished_children == 0:
            yield _ending_of_array(job.parent)

    def _set_status(self, job: Job, status: JobStatus, reason: str | None = None) -> None:
        if job.parent is not None:
            job.parent.child_statuses[job.status] -= 1
            job.parent.child_statuses[status] += 1
        job.status = status
        job.status_reason = reason
        if status in FINAL:
            job.stopped_at = now_ms()
        self._announce(job)

    def _announce(self, job: Job) -> None:
        self._tell(state_change, job)
        if job.ended and job.end_listeners:
            detail = describe_job(job)
            for listener in job.end_listeners:
                self._notifier.post(listener, detail)
            job.end_listeners.clear()

    def _announce_blocked(self, job: Job) -> None:
        self._tell(queue_blocked, job)

    def _tell(self, event_of: Callable[[Job], dict[str, Any]], job: Job) -> None:
        if self._listeners:
            event = event_of(job)
            for listener in self._listeners:
                self._notifier.post(listener, event)

    # --- Running -----------------------------------------------------------------------------------------------------
    def _dispatch(self) -> None:
        while not self._closing and (job := self._next_that_fits()) is not None:
            try:
                attempt = self._attempt_runner.prepare(job)
            except Exception as error:  # one job without a host must not stop the queues of all others
                logger.exception("Job %s has no host", job.id)
                self._end([(job, JobStatus.FAILED, f"InternalError: {error}")])
                continue
            self._free_cores -= self._cores_of(job)
            job.stop = StopSignal()
            job.current = attempt
            self._set_status(job, JobStatus.STARTING)
            self._workers.submit(self._run, job, attempt, job.stop)

    def _next_that_fits(self) -> Job | None:
        """The next job, or None while it does not fit: letting smaller ones pass it could make it wait for ever."""
        heads = [job for queue_arn in self._runnable if (job := self._head(queue_arn)) is not None]
        if not heads:
            return None
        first = min(heads, key=lambda job: (-self._queues.priority(job.spec.queue_arn), job.sequence))
        if self._cores_of(first) > self._free_cores:
            return None
        return self._runnable[first.spec.queue_arn].popleft()

    def _head(self, queue_arn: str) -> Job | None:
        jobs = self._runnable[queue_arn]
        while jobs and jobs[0].status is not JobStatus.RUNNABLE:  # ended while it waited
            jobs.popleft()
        if not jobs or not self._queues.can_run(queue_arn) or self._patience.is_stuck(jobs[0]):
            return None
        return jobs[0]

    def _give_up(self, job: Job, reason: str) -> None:
        """The job's time at the head of its queue is over."""
        with self._lock:
            if job.status is JobStatus.RUNNABLE and not self._closing and self._patience.is_stuck(job):
                self._mark_cancelled(job)
                self._end([(job, JobStatus.FAILED, reason)])
                self._dispatch()

    def _cores_of(self, job: Job) -> int:
        return min(job.spec.cores, self._cores)

    def _run(self, job: Job, attempt: Attempt, stop: StopSignal) -> None:
        """One attempt, on a worker's thread."""
        try:
            self._attempt_runner.run(job, attempt, stop, lambda: self._note_start(job, attempt, stop))
        except Exception as error:  # a fault of this program must not leave the job RUNNING for ever
            logger.exception("Job %s could not be run", job.id)
            attempt.reason = f"InternalError: {error}"
        stop.disarm()
        with self._lock:
            self._note_end(job, attempt, stop)
            self._dispatch()

    def _note_start(self, job: Job, attempt: Attempt, stop: StopSignal) -> None:
        with self._lock:
            attempt.started_at = now_ms()
            job.started_at = attempt.started_at
            if job.parent is not None and job.parent.started_at is None:
                job.parent.started_at = attempt.started_at
            self._set_status(job, JobStatus.RUNNING)
        if job.spec.timeout_seconds is not None:
            stop.request_after(job.spec.timeout_seconds, TIMED_OUT)

    def _note_end(self, job: Job, attempt: Attempt, stop: StopSignal) -> None:
        self._free_cores += self._cores_of(job)
        attempt.stopped_at = now_ms()
        stopped = stop.requested
        if attempt.status_reason is None:
            attempt.status_reason = stopped.status_reason if stopped else CONTAINER_EXITED
        job.attempts.append(attempt)
        job.current = None
        job.stop = None
        if attempt.exit_code == 0 and stopped is None:
            self._end([(job, JobStatus.SUCCEEDED, attempt.status_reason)])
        elif self._is_tried_again(job, attempt, stopped):
            self._set_status(job, JobStatus.RUNNABLE, attempt.status_reason)
            # It has waited before: it goes to the head of its queue.
            self._runnable[job.spec.queue_arn].appendleft(job)
        else:
            self._end([(job, JobStatus.FAILED, attempt.status_reason)])

    @staticmethod
    def _is_tried_again(job: Job, attempt: Attempt, stopped: StopRequest | None) -> bool:
        if stopped is not None and not stopped.retryable:
            return False
        return job.spec.retry.allows_another(
            len(job.attempts), attempt.exit_code, attempt.reason, attempt.status_reason
        )


def _ending_of_array(parent: Job) -> tuple[Job, JobStatus, str]:
    if parent.child_statuses[JobStatus.FAILED]:
        return parent, JobStatus.FAILED, parent.ending_reason or CHILD_FAILED
    return parent, JobStatus.SUCCEEDED, CONTAINER_EXITED
