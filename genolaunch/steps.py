"""The steps of a workflow, as everybody reads them: see lambdas.shared.steps."""

from lambdas.shared.steps import Step, StepState, read_steps, steps_of

__all__ = ["Step", "StepState", "read_steps", "steps_of"]
