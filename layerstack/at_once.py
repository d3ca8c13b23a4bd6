"""One call for several things in parallel."""

import queue
import threading
from collections.abc import Callable, Iterable
from typing import TypeVar

Thing = TypeVar("Thing")
Answer = TypeVar("Answer")


def ask_all(ask: Callable[[Thing], Answer], things: Iterable[Thing]) -> list[Answer]:
    """The results in the order of the things; raises the first error.

    In daemon threads: a call that hangs does not keep the program alive, as it would in a pool.
    """
    outcomes: queue.SimpleQueue[tuple[int, Answer | None, BaseException | None]] = queue.SimpleQueue()

    def work(place: int, thing: Thing) -> None:
        try:
            outcomes.put((place, ask(thing), None))
        except BaseException as error:
            outcomes.put((place, None, error))

    count = 0
    for thing in things:
        threading.Thread(target=work, args=(count, thing), daemon=True).start()
        count += 1
    answers: dict[int, Answer | None] = {}
    for _ in range(count):
        place, answer, error = outcomes.get()
        if error is not None:
            raise error
        answers[place] = answer
    return [answers[place] for place in range(count)]  # type: ignore[misc]
