"""What the embedded cloud evaluates can be written down, and evaluated again."""

import pytest
from ministack.services import stepfunctions

from checks.jsonata.corpus import read_recordings
from localcloud import ministack_adapter as adapter
from localcloud.jsonata_record import Recorder


def test_an_evaluation_is_recorded_with_all_that_it_reads(monkeypatch, tmp_path) -> None:
    monkeypatch.setattr(stepfunctions, "_evaluate_jsonata", stepfunctions._evaluate_jsonata)
    adapter.on_jsonata_evaluation(Recorder(tmp_path / "recorded").write)
    context = {
        "QueryLanguage": "JSONata",
        "StateMachine": {"Name": "genolaunch-local-launch"},
        "State": {"Name": "Start"},
        "variables": {"attempt": 2, "nothing": None},
    }
    template = {"id": "{% $states.input.id & '-' & $string($attempt) %}", "nothing": "{% $nothing %}"}

    stepfunctions._apply_jsonata_template(template, {"id": "a"}, context)
    with pytest.raises(adapter.TaskError):
        stepfunctions._apply_jsonata_template("{% $states.result.id %}", {"id": "a"}, context, {"name": "b"})

    first, null, failed = read_recordings(tmp_path / "recorded")
    assert (first.machine, first.state, first.result) == ("genolaunch-local-launch", "Start", "a-2")
    assert first.states == {"input": {"id": "a"}, "context": {key: context[key] for key in ("StateMachine", "State")}}
    assert first.variables == {"attempt": 2, "nothing": None}
    assert adapter.evaluate_jsonata(first) == "a-2"
    assert (null.result, null.error) == (None, None)
    assert failed.error
    assert failed.states["result"] == {"name": "b"}
