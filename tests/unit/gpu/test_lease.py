"""Leases of GPU memory, between real processes on the cards of a stand-in for NVIDIA's library."""

import json
import os
import random
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from layerstack.gpu.gpu_card import Card
from layerstack.gpu.lease_ledger import FOLDER_VARIABLE, Entry
from layerstack.gpu.lease_room import available_bytes
from layerstack.gpu.nvml import GpuProcess
from layerstack.process_life import ProcessLife
from tests.nvml_stand_in.stand_in import GIB, StandIn, card, library

# Holds a lease from one line on its standard input to the next and says what happens.
HOLDER = """
import json, os, sys
from pathlib import Path
from layerstack.gpu import lease
from layerstack.errors import StackError
lease.INTERVAL_SECONDS = 0.05

def tell(**facts):
    print(json.dumps(facts), flush=True)

wanted = json.loads(sys.argv[1])
seconds = wanted.pop("timeout_seconds", 30.0)
uses = wanted.pop("uses", None)
try:
    with lease.hold(lease.Wanted(**wanted), seconds, lambda text: tell(said=text)) as held:
        if uses:
            Path(uses[0]).write_text(f"{held.card.index} process {os.getpid()} {uses[1]}")
        tell(card=held.card.uuid)
        sys.stdin.readline()
    tell(peak=held.peak.most_bytes, of_card=held.peak.is_of_card)
except StackError as error:
    tell(error=type(error).__name__, words=str(error), exit_code=error.exit_code)
"""
FREED_SECONDS = 5.0
STRESS_SECONDS = 90.0


@dataclass
class Holder:
    """A process that asks for a lease."""

    process: "subprocess.Popen[str]"
    told: list[dict[str, object]] = field(default_factory=list)

    def next(self) -> dict[str, object]:
        assert self.process.stdout
        line = self.process.stdout.readline()
        assert line, self.process.stderr and self.process.stderr.read()
        self.told.append(json.loads(line))
        return self.told[-1]

    def end(self) -> dict[str, object]:
        assert self.process.stdin
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return self.next()

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


Ask = Callable[..., Holder]


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "leases"))
    found = StandIn(library(), tmp_path / "cards")
    found.describe("driver 550.54", *card(0, 24))
    return found


@pytest.fixture
def ask(machine: StandIn) -> Iterator[Ask]:
    """`ask("who", GIB)` starts a process that wants a gigabyte."""
    started: list[Holder] = []

    def start(owner: str, size_bytes: int | None = None, **more: object) -> Holder:
        wanted = {"owner": owner, "size_bytes": size_bytes, **more}
        started.append(Holder(machine.start(HOLDER, json.dumps(wanted))))
        return started[-1]

    yield start
    for one in started:
        one.process.kill()
        one.process.communicate()


def test_two_leases_share_a_card_up_to_its_memory(ask: Ask) -> None:
    first, second = ask("one", 10 * GIB), ask("two", 14 * GIB)
    assert [first.next(), second.next()] == [{"card": "GPU-0"}] * 2
    third = ask("three", GIB)
    said = str(third.next()["said"])
    assert "waiting for 1.0 GiB of" in said
    assert "one holds 10.0 GiB" in said
    assert f"process {second.process.pid}" in said
    first.end()
    assert third.next() == {"card": "GPU-0"}


@pytest.mark.parametrize("sizes", [(None, None), (None, GIB), (GIB, None)])
def test_a_whole_card_is_for_one_alone(ask: Ask, sizes: tuple[int | None, int | None]) -> None:
    first = ask("one", sizes[0])
    assert first.next() == {"card": "GPU-0"}
    second = ask("two", sizes[1])
    assert "one holds" in str(second.next()["said"])
    first.end()
    assert second.next() == {"card": "GPU-0"}


def test_the_card_with_the_most_free_memory_is_taken(machine: StandIn, ask: Ask) -> None:
    machine.describe("driver 1", *card(0, 24, 20), *card(1, 24, 2), *card(2, 24, 6))
    taken = []
    for number in range(3):
        taken.append(ask(f"user {number}", 10 * GIB).next()["card"])
    assert taken == ["GPU-1", "GPU-2", "GPU-1"]


def test_a_named_card_is_the_only_one(machine: StandIn, ask: Ask) -> None:
    machine.describe("driver 1", *card(0, 24), *card(1, 24))
    assert ask("by number", GIB, cards=["1"]).next() == {"card": "GPU-1"}
    assert ask("by name", GIB, cards=["GPU-1"]).next() == {"card": "GPU-1"}
    assert ask("unknown", GIB, cards=["7"]).next()["error"] == "GpuMissing"


def test_memory_that_others_use_without_a_lease_is_not_given_away(machine: StandIn, ask: Ask) -> None:
    machine.describe("driver 1", *card(0, 24, 20))
    holder = ask("one", 8 * GIB)
    assert "without a lease" in str(holder.next()["said"])
    machine.describe("driver 1", *card(0, 24, 10))
    assert holder.next() == {"card": "GPU-0"}


def test_memory_that_a_lease_holds_is_not_counted_twice(machine: StandIn, ask: Ask) -> None:
    first = ask("one", 12 * GIB, uses=(f"{machine.path}.0", 12 * GIB))
    assert first.next() == {"card": "GPU-0"}
    assert ask("two", 12 * GIB).next() == {"card": "GPU-0"}


def test_who_waits_too_long_hears_who_holds_it(ask: Ask) -> None:
    ask("the other", 20 * GIB).next()
    late = ask("late", 20 * GIB, timeout_seconds=0.3)
    late.next()
    ended = late.next()
    assert (ended["error"], ended["exit_code"]) == ("GpuBusy", 6)
    assert "the other holds 20.0 GiB" in str(ended["words"])


def test_more_than_any_card_has_is_refused_at_once(ask: Ask) -> None:
    ended = ask("greedy", 25 * GIB).next()
    assert ended["error"] == "GpuMissing"
    assert "24.0 GiB" in str(ended["words"])


def test_without_a_driver_there_is_nothing_to_lease(machine: StandIn, ask: Ask) -> None:
    machine.describe("driver 1", *card(0), "error nvmlInit 9")
    ended = ask("anybody", GIB).next()
    assert (ended["error"], ended["exit_code"]) == ("GpuMissing", 6)


def test_a_card_that_fell_off_the_bus_is_no_card(machine: StandIn, ask: Ask) -> None:
    machine.describe("driver 1", *card(0), "0 error nvmlDeviceGetHandleByIndex 15")
    ended = ask("anybody", GIB).next()
    assert ended["error"] == "GpuMissing"
    assert "invoke gpu" in str(ended["words"])


def test_instances_of_a_card_are_leased_alone(machine: StandIn, ask: Ask) -> None:
    parts = [f"mig{n}.{key}" for n in (0, 1) for key in (f"uuid MIG-{n}", f"name part {n}", f"total {5 * GIB}")]
    machine.describe("driver 1", *card(0, 40, 0, "mig 1", *parts))
    assert {ask(f"user {n}", 4 * GIB).next()["card"] for n in (0, 1)} == {"MIG-0", "MIG-1"}
    assert ask("greedy", 6 * GIB).next()["error"] == "GpuMissing"


def test_a_driver_that_tells_no_memory_serves_one_at_a_time(machine: StandIn, ask: Ask) -> None:
    machine.describe("driver 1", *card(0), "0 error nvmlDeviceGetMemoryInfo 3")
    first = ask("one", GIB)
    assert first.next() == {"card": "GPU-0"}
    assert "one holds" in str(ask("two", GIB).next()["said"])


def test_the_lease_of_a_killed_process_is_free_within_seconds(ask: Ask) -> None:
    first = ask("one", 20 * GIB)
    first.next()
    second = ask("two", 20 * GIB)
    second.next()
    killed = time.monotonic()
    first.process.send_signal(signal.SIGKILL)  # and not collected: a zombie holds nothing
    assert second.next() == {"card": "GPU-0"}
    assert time.monotonic() - killed < FREED_SECONDS


def test_peak_memory_is_what_the_process_used(machine: StandIn, ask: Ask) -> None:
    holder = ask("one", 8 * GIB, uses=(f"{machine.path}.0", 3 * GIB))
    holder.next()
    machine_uses = f"0 process {os.getpid()} {5 * GIB}"  # somebody else's
    Path(f"{machine.path}.1").write_text(machine_uses)
    time.sleep(0.5)
    assert holder.end() == {"peak": 3 * GIB, "of_card": False}


def test_peak_memory_without_sizes_of_processes_is_that_of_the_card(machine: StandIn, ask: Ask) -> None:
    holder = ask("one", 8 * GIB, uses=(f"{machine.path}.0", 2**64 - 1))
    holder.next()
    time.sleep(0.5)
    assert holder.end()["of_card"] is True


def test_a_damaged_ledger_is_an_empty_one(ask: Ask) -> None:
    first = ask("one", 10 * GIB)
    first.next()
    (ledger,) = Path(os.environ[FOLDER_VARIABLE]).glob("*.json")
    ledger.write_text('[{"key": ')
    assert ask("two", 20 * GIB).next() == {"card": "GPU-0"}


def test_a_lease_given_back_twice_is_no_error(ask: Ask) -> None:
    first = ask("one", 10 * GIB)
    first.next()
    (ledger,) = Path(os.environ[FOLDER_VARIABLE]).glob("*.json")
    ledger.unlink()
    assert "peak" in first.end()


def test_what_a_killed_process_left_is_cleared_away(ask: Ask) -> None:
    first = ask("one", 20 * GIB)
    first.next()
    folder = Path(os.environ[FOLDER_VARIABLE])
    (ledger,) = folder.glob("*.json")
    (folder / f"{json.loads(ledger.read_text())[0]['key']}.cid").write_text("f" * 64)
    first.kill()
    assert ask("two", 20 * GIB).next() == {"card": "GPU-0"}
    assert list(folder.glob("*.cid")) == []


@pytest.fixture
def open_folder(machine: StandIn, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The cards and the leases where any user may read."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        machine.path = Path(folder) / "cards"
        monkeypatch.setenv(FOLDER_VARIABLE, f"{folder}/leases")
        machine.describe("driver 1", *card(0, 24))
        yield


@pytest.mark.skipif(os.geteuid() != 0, reason="being two users takes root")
@pytest.mark.usefixtures("open_folder")
def test_two_users_share_a_ledger(machine: StandIn, ask: Ask) -> None:
    # The strictest umask: what this one writes must still be read by the other.
    root = json.dumps({"owner": "root", "size_bytes": 20 * GIB})
    first = Holder(machine.start(f"import os; os.umask(0o077)\n{HOLDER}", root))
    assert first.next() == {"card": "GPU-0"}
    # Before the program loses its rights: the Python of a test run may be readable for root alone.
    become = "import filelock, getpass, os, pwd, pynvml, layerstack.gpu.lease; os.setgid(65534); os.setuid(65534)"
    wanted = json.dumps({"owner": "nobody", "size_bytes": 20 * GIB})
    other = Holder(machine.start(f"{become}\n{HOLDER}", wanted))
    try:
        assert "of root" in str(other.next()["said"])
        first.end()
        assert other.next() == {"card": "GPU-0"}
        late = ask("root again", 20 * GIB)
        late.next()
        other.end()
        assert late.next() == {"card": "GPU-0"}
    finally:
        for one in (first, other):
            one.process.kill()
            one.process.communicate()


WORKER = """
import json, os, random, sys, time
from pathlib import Path
from layerstack.gpu import lease
lease.INTERVAL_SECONDS = 0.02
log, memory, seed, most = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
chance = random.Random(seed)
while True:
    size = chance.randint(1, most)
    with lease.hold(lease.Wanted(f"worker {seed}", size), 60.0) as held:
        Path(memory).write_text(f"{held.card.index} process {os.getpid()} {size}")
        began = time.monotonic()
        print(json.dumps([held.card.uuid, size, began, None]), file=open(log, "a"), flush=True)
        time.sleep(chance.uniform(0.1, 0.4))
        ended = time.monotonic()
        Path(memory).write_text("")
        print(json.dumps([held.card.uuid, size, began, ended]), file=open(log, "a"), flush=True)
"""


Span = tuple[str, int, float, float]


class Crew:
    """Workers that take leases without end, and what they held; some are killed in the middle of it."""

    def __init__(self, machine: StandIn, folder: Path) -> None:
        self._machine, self._folder = machine, folder
        self.workers: dict[int, subprocess.Popen[str]] = {}
        self.spans: list[Span] = []
        self.killed_while_holding = 0
        self._seed = 0

    def start(self, place: int) -> None:
        self._seed += 1
        self._log(place).write_text("")
        Path(f"{self._machine.path}.{place}").write_text("")
        words = (str(self._log(place)), f"{self._machine.path}.{place}", str(self._seed), "6")
        self.workers[place] = self._machine.start(WORKER, *words)

    def kill(self, place: int) -> None:
        """End a worker at once; what it held at that moment was held until then."""
        moment = time.monotonic()
        self.workers[place].kill()
        self.workers[place].communicate()
        held: dict[float, Span] = {}
        for uuid, size, began, ended in self._lines(place):
            held[began] = (uuid, size, began, ended or moment)
        self.killed_while_holding += any(ended == moment for _, _, _, ended in held.values())
        self.spans.extend(held.values())

    def has_worked(self, place: int) -> bool:
        return len(self._lines(place)) > 4

    def _lines(self, place: int) -> list[list[Any]]:
        whole = self._log(place).read_text().rpartition("\n")[0]
        return [json.loads(line) for line in whole.splitlines()]

    def _log(self, place: int) -> Path:
        return self._folder / f"log{place}"


def test_leases_never_exceed_the_card_while_processes_are_killed(machine: StandIn, tmp_path: Path) -> None:
    totals = {"GPU-0": 8, "GPU-1": 6}
    names = [f"{number} {key}" for number in (0, 1) for key in ("name card", f"uuid GPU-{number}")]
    machine.describe("driver 1", *names, "0 total 8", "1 total 6")
    chance = random.Random(7)
    crew = Crew(machine, tmp_path)
    for place in range(5):
        crew.start(place)
    deadline = time.monotonic() + STRESS_SECONDS
    try:
        while crew.killed_while_holding < 3 and time.monotonic() < deadline:
            time.sleep(chance.uniform(0.01, 0.1))
            ready = [place for place in crew.workers if crew.has_worked(place)]
            if ready:
                place = chance.choice(ready)
                crew.kill(place)
                crew.start(place)
    finally:
        for place in list(crew.workers):
            crew.kill(place)
    assert crew.killed_while_holding >= 3, "too slow: nothing was tested"
    for uuid, total in totals.items():
        here = [span for span in crew.spans if span[0] == uuid]
        assert here
        for _, _, moment, _ in here:
            assert sum(size for _, size, began, ended in here if began <= moment < ended) <= total
    shared = [a for a in crew.spans for b in crew.spans if a != b and a[0] == b[0] and a[2] <= b[2] < a[3]]
    assert shared, "no two leases ever shared a card: nothing was tested"


SIZES = st.integers(0, 12)


@given(st.lists(st.tuples(SIZES, SIZES), max_size=5), SIZES, st.integers(1, 24))
def test_what_is_promised_and_used_never_exceeds_the_card(
    leases: list[tuple[int, int]], foreign: int, total: int
) -> None:
    entries = [
        Entry(str(number), "", "", ProcessLife(10**7 + number, 1, ""), size, 0.0)
        for number, (size, _) in enumerate(leases)
    ]
    processes = tuple(GpuProcess(10**7 + number, used) for number, (_, used) in enumerate(leases))
    in_use = foreign + sum(used for _, used in leases)
    given_card = Card("GPU-0", "card", 0, total, max(0, total - in_use), processes)
    found = available_bytes(given_card, entries)
    assert found <= total - sum(size for size, _ in leases)
    if found > 0:
        assert foreign + sum(max(size, used) for size, used in leases) + found <= total
