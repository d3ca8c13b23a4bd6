"""The engine's build cache, seen and emptied for the images of one test only."""

from dataclasses import dataclass

from layerstack import command


@dataclass(frozen=True)
class Record:
    """One record of `docker buildx du`, and those that it lies on."""

    id: str
    parents: tuple[str, ...]
    text: str


def read_records() -> dict[str, Record]:
    found = {}
    for block in command.run(["docker", "buildx", "du", "--verbose"]).require().stdout.split("\n\n"):
        words = [line.split() for line in block.splitlines()]
        if words and words[0][0] == "ID:":
            parents = tuple(line[1] for line in words if len(line) == 2 and line[0] == "-")
            found[words[0][1]] = Record(words[0][1], parents, block)
    return found


def own_records(mark: str) -> set[str]:
    """Records whose description holds a mark of the test, and all that lie on them."""
    records = read_records()
    own = {record.id for record in records.values() if mark in record.text}
    assert own, f"no record of the build cache is marked {mark}"
    while more := {one.id for one in records.values() if own & set(one.parents)} - own:
        own |= more
    return own


def evict(records: set[str]) -> None:
    """Remove these records in one call: the engine looks through its whole cache for each."""
    there = read_records()
    upper = {one.id for one in there.values() if records & set(one.parents)} - records
    assert not upper, f"{upper} lie on {records}"
    # It takes away what nothing lies on, then what lay below that.
    names = "|".join(sorted(records))
    command.run(["docker", "buildx", "prune", "--all", "--force", f"--filter=id~=^({names})$"]).require()
    assert not records & read_records().keys()
