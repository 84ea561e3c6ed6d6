"""Logging of device processes: JSON lines, and no failure of the log becomes a failure of its caller."""

import io
import json

import pytest
import structlog

from edge_agent import logs


class Pipe(io.StringIO):
    """stderr whose reader comes and goes."""

    is_broken = False

    def write(self, text: str) -> int:
        if self.is_broken:
            raise BrokenPipeError
        return super().write(text)


@pytest.fixture
def pipe(monkeypatch: pytest.MonkeyPatch) -> Pipe:
    made = Pipe()
    monkeypatch.setattr("sys.stderr", made)
    logs.configure_logs()
    return made


def lines(pipe: Pipe) -> list[dict[str, object]]:
    return [json.loads(line) for line in pipe.getvalue().splitlines()]


def test_a_line_is_one_json_object(pipe: Pipe) -> None:
    structlog.get_logger().warning("link_lost", source="ais", cause="cortó el cable")
    (line,) = lines(pipe)
    assert line["event"] == "link_lost"
    assert line["level"] == "warning"
    assert line["cause"] == "cortó el cable"


def test_a_broken_pipe_fails_nobody_and_is_told_when_it_is_mended(pipe: Pipe) -> None:
    log = structlog.get_logger()
    pipe.is_broken = True
    log.info("one")
    log.info("two")
    pipe.is_broken = False
    log.info("three")
    assert [line["event"] for line in lines(pipe)] == ["log_lines_lost", "three"]
    assert lines(pipe)[0]["count"] == 2


def test_a_closed_stream_fails_nobody(pipe: Pipe) -> None:
    pipe.close()
    structlog.get_logger().error("outbox_trouble")


def test_without_the_handler_a_broken_pipe_would_fail_its_caller(pipe: Pipe) -> None:
    """Mutation proof: structlog's own printer on the same pipe."""
    pipe.is_broken = True
    with pytest.raises(BrokenPipeError):
        structlog.PrintLogger(pipe).msg("outbox_trouble")
