"""Leases of GPU memory, between real processes on the cards of a stand-in for NVIDIA's library."""

import json
import os
import random
import signal
import stat
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from layerstack import private_file
from layerstack.gpu.card_lock import FOLDER
from layerstack.gpu.lease import read_leases
from layerstack.gpu.nvml import Card
from layerstack.state_folder import shared_folder
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
FREED_SECONDS = 30.0
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
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
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


def test_a_card_is_held_by_one_at_a_time(ask: Ask) -> None:
    first = ask("one", GIB)
    assert first.next() == {"card": "GPU-0"}
    second = ask("two", GIB)
    said = str(second.next()["said"])
    assert "waiting for 1.0 GiB of" in said
    assert "one holds" in said
    assert f"process {first.process.pid}" in said
    first.end()
    assert second.next() == {"card": "GPU-0"}


@pytest.mark.parametrize("sizes", [(None, None), (None, GIB), (GIB, None)])
def test_a_whole_card_is_for_one_alone(ask: Ask, sizes: tuple[int | None, int | None]) -> None:
    first = ask("one", sizes[0])
    assert first.next() == {"card": "GPU-0"}
    second = ask("two", sizes[1])
    assert "one holds" in str(second.next()["said"])
    first.end()
    assert second.next() == {"card": "GPU-0"}


def test_the_card_with_the_most_free_memory_is_taken(machine: StandIn, ask: Ask) -> None:
    machine.describe("driver 1", *card(0, 24, 12), *card(1, 24, 2), *card(2, 24, 6))
    taken = []
    for number in range(3):
        taken.append(ask(f"user {number}", 10 * GIB).next()["card"])
    assert taken == ["GPU-1", "GPU-2", "GPU-0"]


def test_a_named_card_is_the_only_one(machine: StandIn, ask: Ask) -> None:
    machine.describe("driver 1", *card(0, 24), *card(1, 24))
    assert ask("by number", GIB, cards=["1"]).next() == {"card": "GPU-1"}
    assert ask("by name", GIB, cards=["GPU-0"]).next() == {"card": "GPU-0"}
    assert ask("unknown", GIB, cards=["7"]).next()["error"] == "GpuMissing"


def test_memory_that_others_use_without_a_lease_is_not_given_away(machine: StandIn, ask: Ask) -> None:
    machine.describe("driver 1", *card(0, 24, 20))
    holder = ask("one", 8 * GIB)
    assert "without a lease" in str(holder.next()["said"])
    machine.describe("driver 1", *card(0, 24, 10))
    assert holder.next() == {"card": "GPU-0"}


def test_who_waits_too_long_hears_who_holds_it(ask: Ask) -> None:
    ask("the other", 20 * GIB).next()
    late = ask("late", 20 * GIB, timeout_seconds=0.3)
    late.next()
    ended = late.next()
    assert (ended["error"], ended["exit_code"]) == ("GpuBusy", 6)
    assert "the other holds" in str(ended["words"])


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


def test_locks_are_for_their_owner_only(ask: Ask) -> None:
    ask("one", GIB).next()
    (lock,) = (shared_folder() / FOLDER).iterdir()
    assert stat.S_IMODE(lock.stat().st_mode) == 0o600
    assert stat.S_IMODE(lock.parent.stat().st_mode) == 0o700


def test_a_linked_lock_is_not_followed(ask: Ask, tmp_path: Path) -> None:
    first = ask("one", GIB)
    first.next()
    first.end()
    (lock,) = (shared_folder() / FOLDER).iterdir()
    lock.unlink()
    (tmp_path / "mine").write_text("mine\n")
    lock.symlink_to(tmp_path / "mine")
    second = ask("two", GIB)
    assert "no lock" in str(second.next()["said"])
    assert second.next() == {"card": "GPU-0"}
    assert (tmp_path / "mine").read_text() == "mine\n"


def test_who_holds_a_card_can_be_asked(ask: Ask) -> None:
    here = Card("GPU-0", "A card", 0, 24 * GIB, 24 * GIB)
    assert list(read_leases([here])) == []
    first = ask("one", GIB)
    first.next()
    ((_, holder),) = read_leases([here])
    assert (holder.owner, holder.pid, holder.size_bytes) == ("one", first.process.pid, GIB)
    assert holder.has(first.process.pid)
    assert not holder.has(os.getpid())
    first.kill()
    assert list(read_leases([here])) == []


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"owner": 1}'])
def test_a_text_that_cannot_be_read_names_nobody(machine: StandIn, text: str) -> None:
    here = Card("GPU-0", "A card", 0, 24 * GIB, 24 * GIB)
    lock = private_file.take_lock(shared_folder() / FOLDER / "GPU-0.lock", text.encode())
    assert lock
    with lock:
        assert list(read_leases([here])) == []


WORKER = """
import json, os, random, sys, time
from pathlib import Path
from layerstack.gpu import lease
lease.INTERVAL_SECONDS = 0.02
log, seed = sys.argv[1], int(sys.argv[2])
chance = random.Random(seed)
while True:
    with lease.hold(lease.Wanted(f"worker {seed}", 1), 60.0) as held:
        print(json.dumps([held.card.uuid, time.monotonic(), None]), file=open(log, "a"), flush=True)
        began = time.monotonic()
        time.sleep(chance.uniform(0.02, 0.1))
        print(json.dumps([held.card.uuid, began, time.monotonic()]), file=open(log, "a"), flush=True)
"""


def test_no_card_is_held_twice_while_processes_are_killed(machine: StandIn, tmp_path: Path) -> None:
    names = [f"{number} {key}" for number in (0, 1) for key in ("name card", f"uuid GPU-{number}")]
    machine.describe("driver 1", *names, "0 total 8", "1 total 8")
    chance, spans, killed = random.Random(7), [], 0
    deadline = time.monotonic() + STRESS_SECONDS
    while killed < 3 and time.monotonic() < deadline:
        logs = [tmp_path / f"log{killed}-{number}" for number in range(4)]
        workers = [machine.start(WORKER, str(log), str(number)) for number, log in enumerate(logs)]
        while not all(log.exists() for log in logs[:2]) and time.monotonic() < deadline:
            time.sleep(chance.uniform(0.1, 0.4))
        for worker in workers:
            worker.kill()
            worker.communicate()
        lines = [json.loads(line) for log in logs if log.exists() for line in log.read_text().splitlines()]
        spans += [(uuid, began, ended) for uuid, began, ended in lines if ended]
        killed += 1
    assert len(spans) > 5, "too slow: nothing was tested"
    for uuid, began, ended in spans:
        assert not [one for one in spans if one[0] == uuid and began < one[1] < ended]
