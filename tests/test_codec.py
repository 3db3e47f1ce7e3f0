"""The codec, its channel, and a judge whose worker replies with garbage."""

from __future__ import annotations

import math
import random
import socket
import struct
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from gradetape.errors import Gone, Missing, Overdue, StudentError, WireError, WireRefused, WorkerEvent
from gradetape.records import Limits, Slot
from gradetape.remote.budget import CheckBudget
from gradetape.remote.handles import Handle
from gradetape.remote.roles import STUDENT
from gradetape.remote.session import RemoteSession
from gradetape.wire.channel import MAX_BODY, MAX_BUFFERS, Channel
from gradetape.wire.codec import MAX_INT_BYTES, MAX_VALUES, Decoder, Encoder
from gradetape.wire.messages import Exit
from gradetape.wire.operations import Operation
from gradetape.wire.values import DType, FunctionSource, Ragged, Ref, Sparse, TensorShape, TensorSpec, WorkerPath
from tests.frames import ARRAY, MALFORMED, ext, is_plain, pack


def refuse(value: object) -> Any:
    raise WireRefused(type(value).__name__)


def decode(body: bytes, *buffers: bytes) -> Any:
    return Decoder(lambda value: value).decode(body, [memoryview(buffer) for buffer in buffers])


def sent(value: object) -> Any:
    """A value as it is received at the other end of a socket."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        Channel(ours, Encoder(refuse), Decoder(lambda value: value)).send(value, time.monotonic() + 5)
        return Channel(theirs, Encoder(refuse), Decoder(lambda value: value)).receive(time.monotonic() + 5)


def same(one: Any, two: Any) -> bool:
    """Equal, of exactly the same types, NaN included."""
    if type(one) is not type(two):
        return False
    if isinstance(one, np.ndarray):
        if one.dtype == object:
            return one.shape == two.shape and one.tolist() == two.tolist()
        return one.dtype == two.dtype and one.shape == two.shape and one.tobytes() == two.tobytes()
    if isinstance(one, np.generic):
        return one.dtype == two.dtype and one.tobytes() == two.tobytes()
    if isinstance(one, list | tuple):
        return len(one) == len(two) and all(map(same, one, two))
    if isinstance(one, dict):
        return list(one) == list(two) and all(map(same, one.values(), two.values()))
    if isinstance(one, float):
        return struct.pack("d", one) == struct.pack("d", two)
    return bool(one == two)


scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.integers(-(1 << 600), 1 << 600), st.floats(), st.text(),
    st.text(st.characters()), st.binary(), st.just(...), st.builds(slice, st.integers(), st.none(), st.integers()),
)  # fmt: skip
keys = st.text(st.characters(exclude_categories=["Cs"]))
dtypes = st.one_of(
    npst.boolean_dtypes(), npst.integer_dtypes(endianness="?"), npst.floating_dtypes(endianness="?"),
    npst.complex_number_dtypes(), npst.byte_string_dtypes(min_len=1), npst.unicode_string_dtypes(min_len=1),
    npst.datetime64_dtypes(), npst.timedelta64_dtypes(),
)  # fmt: skip
arrays = dtypes.flatmap(lambda dtype: npst.arrays(dtype, npst.array_shapes(min_dims=0, min_side=0, max_side=3)))
plain = st.recursive(
    st.one_of(scalars, arrays, dtypes, dtypes.map(lambda dtype: np.zeros((), dtype)[()])),
    lambda inner: st.one_of(
        st.lists(inner), st.lists(inner).map(tuple), st.dictionaries(keys, inner),
    ),
    max_leaves=8,
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(plain)
def test_plain_data_arrives_as_it_was_sent(value: object) -> None:
    assert same(sent(value), value)


@pytest.mark.parametrize(
    "value",
    [
        *(np.array([1.5, -2], dtype) for dtype in (ml_dtypes.bfloat16, ml_dtypes.float8_e4m3fn, np.longdouble)),
        np.array([1, -2], ml_dtypes.int4),
        ml_dtypes.bfloat16(2.5),
        np.dtype(ml_dtypes.bfloat16),
        np.array(True),
        np.array([[b"a", b""], [b"\xff", b"c\0"]], dtype=object),
        np.array(b"alone", dtype=object),
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.arange(10)[::3],
        "\ud800 alone",
        (1, (2, [3, (4,)])),
        Ref(3, "variable", "Dense"),
        DType("string"),
        TensorShape([None, 2]),
        TensorShape(None),
        TensorSpec(TensorShape([None]), DType("int32"), "x"),
        Ragged(np.arange(3.0), (np.array([0, 1, 2]), np.array([0, 1, 3]))),
        Ragged(np.arange(3.0), (np.array([0, 1, 1, 3]),)),
        Sparse(np.zeros((1, 2), np.int64), np.ones(1), np.array([3, 3])),
        WorkerPath("/a/b"),
        FunctionSource("f", "def f(): pass"),
    ],
    ids=repr,
)
def test_every_kind_of_value_is_sent(value: Any) -> None:
    back = sent(value)
    assert type(back) is type(value)
    if isinstance(value, np.ndarray):
        assert same(np.ascontiguousarray(back).reshape(back.shape), np.ascontiguousarray(value).reshape(value.shape))
    else:
        assert repr(back) == repr(value)


def test_arrays_arrive_writable_and_apart() -> None:
    array = np.zeros((2, 2))
    one, two = sent([array, array])
    one += 1
    assert two.sum() == array.sum() == 0


def test_an_array_of_truth_values_may_be_empty_of_dimensions() -> None:
    back = sent(np.array(True))
    assert type(back) is np.ndarray and back.shape == () and back.dtype == bool


class Subclass(dict[str, int]):
    pass


REFUSED: dict[str, object] = {
    "an object": object(),
    "a set": {1, 2},
    "a bytearray": bytearray(b"x"),
    "a dict of another class": Subclass(a=1),
    "a float of another class": type("F", (float,), {})(1.0),
    "a number as a key": {1: 2},
    "a tuple as a key": {(1,): 2},
    "a surrogate as a key": {"\ud800": 1},
    "an array of objects": np.array([object()]),
    "an array of None": np.array([None]),
    "an array of text and numbers": np.array(["a", 1], dtype=object),
    "an array of void": np.zeros(2, "V4"),
    "a structured array": np.zeros(2, [("a", "i4")]),
    "a record": np.zeros(2, [("a", "i4")])[0],
    "object's dtype": np.dtype("O"),
    "an overlong integer": 1 << 8 * MAX_INT_BYTES,
    "a function": print,
    "an exception": Exception("x"),
    "a masked array": np.ma.array([1]),
    "a range": range(3),
    "a memoryview": memoryview(b"x"),
    "a complex": complex(1, 2),
    "too many values": [0] * (MAX_VALUES + 1),
    "too many strings": np.array([b""] * (MAX_VALUES + 1), dtype=object),
    "too many arrays": [np.zeros(1)] * (MAX_BUFFERS + 1),
    "too much text": "x" * (MAX_BODY + 1),
}


@pytest.mark.parametrize("value", REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_sent_is_refused_before_anything_is_sent(value: object) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        with pytest.raises(WireRefused):
            Channel(ours, Encoder(refuse), Decoder(refuse)).send([1, value])
        theirs.setblocking(False)
        with pytest.raises(BlockingIOError):
            theirs.recv(1)


def test_what_contains_itself_is_refused() -> None:
    loop: list[object] = []
    loop.append(loop)
    with pytest.raises(WireRefused, match="nested"):
        Encoder(refuse).encode(loop)


def test_as_many_values_as_are_sent_can_be_received() -> None:
    value = [np.zeros((1, 1, 1))] * 4000 + [0] * (MAX_VALUES - 4001)
    assert len(sent([value])[0]) == MAX_VALUES - 1


@pytest.mark.parametrize("frame", MALFORMED.values(), ids=MALFORMED.keys())
def test_a_malformed_frame_is_an_error_and_costs_little(frame: tuple[bytes, ...]) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(WireError):
            decode(*frame)
        assert tracemalloc.get_traced_memory()[1] < (8 << 20) + len(frame[0]) // 8
    finally:
        tracemalloc.stop()


def test_a_truth_value_of_two_is_true() -> None:
    array = decode(pack(ext(ARRAY, ["|b1", [3], 0])), b"\0\1\2")
    assert array.view(np.uint8).tolist() == [0, 1, 1]


def test_a_map_with_many_keys_is_read_in_no_time() -> None:
    started = time.process_time()
    body = pack({f"{number:016x}": number for number in range(200_000)})
    assert len(decode(body)) == 200_000
    assert time.process_time() - started < 20  # colliding keys would take hours


SAMPLES: list[object] = [
    [7, "ok", {"a": [1, 2.5, None, True], "b": (1, "\ud800")}],
    [1, "ok", [np.arange(6.0).reshape(2, 3), np.array([True]), np.array(["ab"]), np.float32(2)]],
    [2, "ok", [TensorSpec(TensorShape([None, 2]), DType("f4"), "x"), slice(1, None), ..., 1 << 80, WorkerPath("/x")]],
    [
        3,
        "ok",
        [Ragged(np.arange(3), (np.array([0, 1, 3]),)), Sparse(np.zeros((1, 1), np.int64), np.ones(1), np.ones(1))],
    ],
    [
        4,
        "ok",
        [Ref(1, "object", "X"), Ref(2, "tensor", "T"), np.array([b"x"], object), np.array([1], ml_dtypes.bfloat16)],
    ],
    [5, "raised", ["ValueError", "Exception"], "ValueError", "text", "trace"],
    [6, "missing", "name"],
]


def mutated(rng: random.Random, data: bytes) -> bytes:
    """`data` with a few bytes changed, cut, doubled or put in; sometimes only noise."""
    if rng.random() < 0.1:
        return rng.randbytes(rng.randrange(1, 60))
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 5))):
        at = rng.randrange(len(changed) + 1)
        match rng.randrange(5):
            case 0:
                changed[at : at + 1] = bytes([rng.choice((0, 1, 0x7F, 0x80, 0x90, 0xC1, 0xC7, 0xDC, 0xDF, 0xFF))])
            case 1:
                del changed[at : at + rng.randrange(4)]
            case 2:
                changed[at:at] = changed[rng.randrange(len(changed) + 1) :][: rng.randrange(12)]
            case 3:
                changed[at:at] = rng.randbytes(rng.randrange(5))
            case 4 if at < len(changed):
                changed[at] ^= 1 << rng.randrange(8)
    return bytes(changed)


def test_ten_thousand_mutated_frames_give_plain_data_or_an_error() -> None:
    rng = random.Random(20)
    encoded = []
    for value in SAMPLES:
        body, buffers = Encoder(refuse).encode(value)
        encoded.append((body, [buffer.tobytes() for buffer in buffers]))
    outcomes = {"plain": 0, "error": 0}
    tracemalloc.start()
    try:
        for _ in range(10_000):
            body, buffers = rng.choice(encoded)
            buffers = [mutated(rng, data) if data and rng.random() < 0.2 else data for data in buffers]
            try:
                value = decode(mutated(rng, body), *buffers)
            except WireError:
                outcomes["error"] += 1
            else:
                assert is_plain(value), repr(value)
                repr(value)  # it can be shown
                outcomes["plain"] += 1
        assert tracemalloc.get_traced_memory()[1] < 16 << 20
    finally:
        tracemalloc.stop()
    assert min(outcomes.values()) > 500, outcomes


@contextmanager
def channels() -> Iterator[tuple[socket.socket, Channel]]:
    """A raw end, and a channel at the other one."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, Channel(theirs, Encoder(refuse), Decoder(lambda value: value))


def test_a_frame_that_never_ends_meets_the_deadline() -> None:
    with channels() as (raw, channel):
        raw.sendall(struct.pack("<IH", 100, 0) + b"abc")
        with pytest.raises(TimeoutError):
            channel.receive(time.monotonic() + 0.05)
        with pytest.raises(TimeoutError):
            channel.receive(time.monotonic() - 1)


def test_a_reader_that_never_reads_meets_the_deadline() -> None:
    with channels() as (_, channel), pytest.raises(TimeoutError):
        channel.send(np.zeros(1 << 20), time.monotonic() + 0.05)


def test_a_frame_cut_short_is_the_end() -> None:
    with channels() as (raw, channel):
        raw.sendall(struct.pack("<IH", 100, 0) + b"abc")
        raw.shutdown(socket.SHUT_WR)
        with pytest.raises(EOFError):
            channel.receive(time.monotonic() + 5)


@pytest.mark.parametrize(
    "head",
    [
        struct.pack("<IH", MAX_BODY + 1, 0),
        struct.pack("<IH", 0, 0),
        struct.pack("<IH", 1, MAX_BUFFERS + 1),
        struct.pack("<IHQ", 1, 1, 1 << 63),
        struct.pack("<IHQQ", 1, 2, 300 << 20, 300 << 20),
    ],
)
def test_a_frame_beyond_the_caps_is_refused_at_its_head(head: bytes) -> None:
    with channels() as (raw, channel):
        raw.sendall(head)
        with pytest.raises(WireError):
            channel.receive(time.monotonic() + 5)


def test_the_budget_of_bytes_is_for_all_frames_together() -> None:
    with channels() as (raw, channel):
        sender = Channel(raw, Encoder(refuse), Decoder(refuse))
        channel.budget = 2500
        for _ in range(2):
            sender.send(np.zeros(1000, np.uint8))
            assert len(channel.receive(time.monotonic() + 5)) == 1000
        sender.send(np.zeros(1000, np.uint8))
        with pytest.raises(WireError, match="more data"):
            channel.receive(time.monotonic() + 5)


HELLO = ([1, "ok", {"devices": [], "versions": {}}], [2, "ok", []])


class Scripted:
    """A zygote client whose workers send the replies of every start, then the script of the test, and then disconnect.

    The first reply that a test writes is thus the third.
    """

    def __init__(self) -> None:
        self.script = b""
        self.slot = Slot()
        self._theirs: list[socket.socket] = []

    def spawn(self, role: str, timeout_s: float) -> tuple[int, socket.socket, tuple[str, ...]]:
        ours, theirs = socket.socketpair()
        theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        for reply in HELLO:
            theirs.sendall(frame(reply))
        theirs.sendall(self.script)
        theirs.shutdown(socket.SHUT_WR)
        self._theirs.append(theirs)
        return 1, ours, ()

    def exit_of(self, worker: int, timeout_s: float) -> Exit:
        return Exit(worker, 9)

    def end(self, worker: int) -> Exit:
        while self._theirs:
            self._theirs.pop().close()
        return Exit(worker, 9)


@contextmanager
def scripted(script: bytes) -> Iterator[RemoteSession]:
    control = Scripted()
    control.script = script
    session = RemoteSession(control, STUDENT, (), Limits(), CheckBudget())  # type: ignore[arg-type]
    session.budget.begin(5)
    try:
        session.ready()
        yield session
    finally:
        session.close()
        control.end(1)


def frame(value: object, encoder: Encoder | None = None) -> bytes:
    body, buffers = (encoder or Encoder(refuse)).encode(value)
    head = struct.pack("<IH", len(body), len(buffers)) + b"".join(struct.pack("<Q", part.nbytes) for part in buffers)
    return head + body + b"".join(part.tobytes() for part in buffers)


def raw_frame(body: bytes) -> bytes:
    return struct.pack("<IH", len(body), 0) + body


@pytest.mark.parametrize(
    "reply",
    [
        [4, "ok", 1], [3, "ok"], [3, "ok", 1, 1], [3], [], "ok", None, {"a": 1}, (3, "ok", 1), [3.0, "ok", 1],
        [True, "ok", 1], [3, b"ok", 1], [3, "well", 1], [np.array([3, 3]), "ok", 1], [np.int64(3), "ok", 1],
        [3, np.array(["ok", "ok"]), 1], [DType("3"), DType("ok"), 1], [Ref(1, "tensor", "T"), "ok", 1],
        [3, Ref(1, "tensor", "T"), 1], [3, "missing", 3], [3, "missing"], [3, "raised", "ValueError", "a", "b", "c"],
        [3, "raised", [1], "a", "b", "c"], [3, "raised", ["ValueError"], 1, "b", "c"], [3, "raised", ["a"], "a", "b"],
        [3, "raised", ("ValueError",), "a", "b", "c"], [3, "ok", FunctionSource("f", "def f(): pass")],
    ],
    ids=repr,
)  # fmt: skip
def test_a_malformed_reply_ends_the_worker(reply: object) -> None:
    with scripted(frame(reply)) as session:
        with pytest.raises(Gone) as caught:
            session.ready().ask(Operation.NAME, "f")
        assert caught.value.cause == "crashed" and session.worker is None
        assert session.budget.event is caught.value


def test_mutated_replies_give_a_proper_value_or_the_end_of_the_worker() -> None:
    rng = random.Random(4)
    replies = [frame([3, *reply[1:]]) for reply in SAMPLES]  # type: ignore[index]
    ends = set()
    for _ in range(3000):
        with scripted(mutated(rng, rng.choice(replies))) as session:
            try:
                value = session.ready().ask(Operation.NAME, "f")
            except (WorkerEvent, StudentError) as end:
                ends.add(end.cause if isinstance(end, Gone) else type(end).__bases__[0])
            else:
                assert contains_only_plain_data_and_handles(value)
                del value
    assert "crashed" in ends and ends <= {
        "crashed",
        "memory",
        *(kind.__bases__[0] for kind in (Missing, StudentError)),
        StudentError,
    }


def contains_only_plain_data_and_handles(value: object) -> bool:
    if isinstance(value, list | tuple):
        return all(map(contains_only_plain_data_and_handles, value))
    if isinstance(value, dict):
        return all(map(contains_only_plain_data_and_handles, value.values()))
    return isinstance(value, Handle) or is_plain(value)


def test_a_missing_name_is_reported_in_the_judges_words() -> None:
    with scripted(frame([3, "missing", "the secret numbers"])) as session:
        with pytest.raises(Missing) as caught:
            session.ready().ask(Operation.NAME, "f")
        assert str(caught.value) == "f is not defined"


def test_a_flood_of_handles_does_not_stop_later_requests() -> None:
    refs = [Ref(number, "object", "X") for number in range(30_000)]
    with scripted(frame([3, "ok", refs]) + frame([4, "ok", None]) + frame([5, "ok", 5])) as session:
        session.budget.begin(10)
        assert len(session.ready().ask(Operation.NAME, "f")) == 30_000
        assert session.ready().ask(Operation.NAME, "g") is None
        assert session.ready().ask(Operation.NAME, "h") == 5


def test_no_reply_is_a_timeout() -> None:
    ours, theirs = socket.socketpair()

    class Silent(Scripted):
        def spawn(self, role: str, timeout_s: float) -> tuple[int, socket.socket, tuple[str, ...]]:
            for reply in HELLO:
                theirs.sendall(frame(reply))
            return 1, ours, ()

    session = RemoteSession(Silent(), STUDENT, (), Limits(), CheckBudget())  # type: ignore[arg-type]
    with theirs:
        session.budget.begin(math.inf)
        worker = session.ready()
        session.budget.begin(0.05)
        with pytest.raises(Gone) as caught:
            worker.ask(Operation.NAME, "f")
        assert caught.value.cause == "timeout"


def test_a_timeout_stands_when_the_checks_own_alarm_rings_before_the_worker_has_ended() -> None:
    class Slow(Scripted):
        def exit_of(self, worker: int, timeout_s: float) -> Exit:
            self.end(worker)
            raise Overdue

    session = RemoteSession(Slow(), STUDENT, (), Limits(), CheckBudget())  # type: ignore[arg-type]
    session.budget.begin(5)
    worker = session.ready()
    session.budget.begin(0)
    with pytest.raises(Overdue):
        worker.ask(Operation.NAME, "f")
    assert isinstance(session.budget.event, Gone) and session.budget.event.cause == "timeout"
