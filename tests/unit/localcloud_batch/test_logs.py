import boto3
import pytest
from moto import mock_aws

from localcloud.batch.logs import MAX_LINE_BYTES, MAX_LINES, CloudWatchLogs, LogWriter
from tests.unit.localcloud_batch.support import MemoryLogs


class CountingLogs(MemoryLogs):
    def __init__(self):
        super().__init__()
        self.batches = []

    def write(self, group, stream, lines):
        super().write(group, stream, lines)
        self.batches.append(len(lines))


@pytest.fixture
def sink():
    return CountingLogs()


@pytest.fixture
def writer(sink):
    return LogWriter(sink, "group", "stream")


def test_lines_are_cut_wherever_the_output_is(writer, sink):
    for chunk in (b"on", b"e\ntw", b"o\r\n\nlast"):
        writer.feed(chunk)
    writer.close()
    assert sink.streams["group", "stream"] == ["one", "two", " ", "last"]


def test_lines_are_sent_in_batches_that_cloudwatch_takes(writer, sink):
    writer.feed(b"x\n" * (MAX_LINES + 1))
    writer.feed(b"y" * (MAX_LINE_BYTES + 1) + b"\n")
    writer.close()
    assert sink.batches[0] == MAX_LINES
    assert sum(sink.batches) == MAX_LINES + 3
    assert max(map(len, sink.streams["group", "stream"])) == MAX_LINE_BYTES


def test_many_long_lines_stay_below_the_size_of_a_request(writer, sink):
    writer.feed(b"".join(b"z" * 100_000 + b"\n" for _ in range(20)))
    writer.close()
    assert max(sink.batches) <= 7


def test_what_is_no_text_is_kept_as_well_as_can_be(writer, sink):
    writer.feed(b"caf\xc3\xa9 \xff\n")
    writer.close()
    assert sink.streams["group", "stream"] == ["café �"]


def test_a_line_does_not_wait_for_the_end_of_the_job(writer, sink, monkeypatch):
    now = 0.0
    monkeypatch.setattr("localcloud.batch.logs.time.monotonic", lambda: now)
    writer.feed(b"early\n")
    now = 1e9
    writer.flush_if_due()
    assert sink.streams["group", "stream"] == ["early"]


@mock_aws
def test_cloudwatch_gets_the_lines_in_a_group_and_stream_made_for_them():
    # given a group that is there already, and one that is not
    client = boto3.client("logs", "eu-west-1", aws_access_key_id="test", aws_secret_access_key="test")
    client.create_log_group(logGroupName="/there")
    sink = CloudWatchLogs(client)
    for group in ("/there", "/new"):
        # when
        writer = LogWriter(sink, group, "job/default/1")
        writer.open()
        writer.open()
        writer.feed(b"one\ntwo\n")
        writer.close()
        # then
        events = client.get_log_events(logGroupName=group, logStreamName="job/default/1")["events"]
        assert [event["message"] for event in events] == ["one", "two"]


@mock_aws
def test_a_fault_of_cloudwatch_does_not_reach_the_job(caplog):
    client = boto3.client("logs", "eu-west-1", aws_access_key_id="test", aws_secret_access_key="test")
    writer = LogWriter(CloudWatchLogs(client), "/not-made", "stream")
    writer.feed(b"lost\n")
    writer.close()
    assert "1 lines of log stream" in caplog.text
