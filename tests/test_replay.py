"""A recording replaces the student's worker: the same replies, and nothing once they are used up."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest

from gradetape.errors import Gone, SandboxError
from gradetape.records import Limits
from gradetape.remote.budget import CheckBudget
from gradetape.remote.replay import PlaybackSession, Recording, RecordingChannel, receive_recording, send_recording
from gradetape.wire.channel import Channel
from gradetape.wire.codec import Decoder, Encoder
from gradetape.wire.operations import Operation


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    one, two = socket.socketpair()
    with one, two:
        yield one, two


def recorded(ends: tuple[socket.socket, socket.socket], *replies: object) -> Recording:
    """The recording of a worker that sends these replies in a check, after one that comes before the check."""
    recording = Recording()
    worker = Channel(ends[0], Encoder(lambda value: value), Decoder(lambda value: value))
    judge = recording.open_transport(ends[1], Encoder(lambda value: value), Decoder(lambda value: value))
    assert isinstance(judge, RecordingChannel)
    for reply in (["before"], *replies):
        worker.send(reply)
        judge.receive(time.monotonic() + 5)
        if reply == ["before"]:
            judge.begin_check()
    return recording


def playing(recording: Recording) -> PlaybackSession:
    budget = CheckBudget()
    budget.begin(5)
    return PlaybackSession(recording, Limits(), budget)


def test_the_replies_are_those_of_the_recording_whatever_is_asked(ends: tuple[socket.socket, socket.socket]) -> None:
    session = playing(recorded(ends, [71, "ok", 3], [72, "raised", ["ValueError"], "ValueError", "text", ""]))
    assert session.names().f == 3 and session.budget.received
    with pytest.raises(ValueError, match="text"):
        session.ready().ask(Operation.CALL, object(), [], {})


def test_after_the_last_reply_the_worker_is_gone_and_nothing_takes_its_place(
    ends: tuple[socket.socket, socket.socket],
) -> None:
    session = playing(recorded(ends, [9, "ok", 1]))
    assert session.names().f == 1
    with pytest.raises(Gone, match="crashed"):
        session.names().g  # noqa: B018
    session.budget.begin(5)
    with pytest.raises(SandboxError, match="the recording has no reply left"):
        session.ready()
    assert isinstance(session.budget.broken, SandboxError)


def test_a_recorded_reply_of_the_wrong_form_is_a_crash(ends: tuple[socket.socket, socket.socket]) -> None:
    with pytest.raises(Gone, match="crashed: the process sent an invalid reply"):
        playing(recorded(ends, ["9", "ok", 1])).names().f  # noqa: B018


def test_a_recording_is_the_same_in_another_process(ends: tuple[socket.socket, socket.socket]) -> None:
    recording = recorded(ends, [4, "ok", {"a": [1.5, None]}])
    send_recording(ends[0], recording)
    received = receive_recording(ends[1])
    assert [bytes(body) for body, _ in received.frames] == [bytes(body) for body, _ in recording.frames]
    assert playing(received).names().f == {"a": [1.5, None]}


def test_a_sender_that_died_leaves_an_empty_recording(ends: tuple[socket.socket, socket.socket]) -> None:
    ends[0].close()
    assert not receive_recording(ends[1]).frames
