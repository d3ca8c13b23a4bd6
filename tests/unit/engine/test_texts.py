"""Whole messages as Engine 28.5.2 printed them, and what each is recognised as."""

import pytest

from layerstack.engine import texts
from layerstack.engine.texts import Text

MESSAGES = {
    "Error response from daemon: No such image: x:latest": texts.NO_SUCH_IMAGE,
    "Bind for 127.0.0.1:47812 failed: port is already allocated": texts.PORT_TAKEN,
    "failed to bind host port for 127.0.0.1:47811:172.17.0.4:80/tcp: address already in use": texts.PORT_TAKEN,
    'exec: "x": executable file not found in $PATH': texts.NO_PROGRAM,
    'could not select device driver "" with capabilities: [[gpu]]': texts.GPU_REFUSED,
    "CDI device injection failed: unresolvable CDI devices nvidia.com/gpu=all": texts.GPU_UNKNOWN,
    "unknown or invalid runtime name: nvidia": texts.NO_GPU_DRIVER,
    "dial tcp: lookup nope.invalid on 10.0.0.1:53: no such host": texts.UNKNOWN_HOST,
}


@pytest.mark.parametrize("message", MESSAGES)
def test_a_message_is_recognised_whatever_its_case(message: str) -> None:
    assert texts.says(message, *MESSAGES[message])
    assert texts.says(message.upper(), *MESSAGES[message])
    assert not texts.says("all is well", *MESSAGES[message])


def test_every_part_is_in_small_letters_and_says_where_it_was_seen() -> None:
    groups = [group for group in vars(texts).values() if isinstance(group, tuple)]
    rows = [row for group in groups for row in group if isinstance(row, Text)]
    assert len(rows) > 25
    assert [row for row in rows if row.part != row.part.lower() or not row.seen] == []
