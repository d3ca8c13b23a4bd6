"""What a container says of its GPU, by the answers of the programs that it has."""

from typing import Any

import pytest
from verify_parts import make_container

from layerstack.engine.api import EngineRefused
from layerstack.gpu.gpu_in_container import look_inside
from layerstack.gpu.nvml import HostGpus

HOST = HostGpus("550", ())
LOST = "Failed to initialize NVML: Unknown Error"


class Engine:
    """A container whose programs end so; None is refused at its start, as an absent program may be."""

    def __init__(self, *answers: tuple[int, str] | None) -> None:
        self.api = self
        self._answers = list(answers)

    def top(self, *_: Any, **__: Any) -> dict[str, Any]:
        return {"Processes": []}

    def exec_create(self, *_: Any, **__: Any) -> dict[str, str]:
        return {"Id": "1"}

    def exec_start(self, _: str) -> bytes:
        if self._answers[0] is None:
            self._answers.pop(0)
            raise EngineRefused("exec: nvidia-smi: executable file not found in $PATH")
        return self._answers[0][1].encode()

    def exec_inspect(self, _: str) -> dict[str, int]:
        answer = self._answers.pop(0)
        assert answer
        return {"ExitCode": answer[0]}


@pytest.mark.parametrize(
    ("answers", "uuids", "problem", "is_lost"),
    [
        ([(0, "GPU 0: H200 (UUID: GPU-12ab)")], ("GPU-12ab",), "", False),
        ([None, (0, "GPU-12ab")], ("GPU-12ab",), "", False),
        ([(127, ""), (1, LOST)], (), LOST, True),
        ([(1, "permission denied")], (), "permission denied", False),
        ([(0, "")], (), "NVML finds no card", True),
        (
            [None, (127, ""), (126, "")],
            (),
            "it has no NVML to ask (NVIDIA_DRIVER_CAPABILITIES without utility?)",
            False,
        ),
    ],
)
def test_the_first_program_that_exists_counts(
    answers: list[tuple[int, str] | None], uuids: tuple[str, ...], problem: str, is_lost: bool
) -> None:
    client: Any = Engine(*answers)
    found = look_inside(client, make_container("model"), HOST)
    assert (found.uuids, found.problem, found.is_lost) == (uuids, problem, is_lost)
