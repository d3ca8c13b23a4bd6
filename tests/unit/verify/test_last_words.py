"""The line of a log that says why a program ended."""

import pytest

from layerstack.verify.last_words import last_error, telling_lines

CORRUPT = (
    '{"t":{"$date":"2026"},"s":"I","c":"STORAGE","msg":"Opening WiredTiger","attr":{"config":"create"}}',
    '{"s":"E","c":"WT","msg":"WiredTiger error message","attr":{"error":-31804,"message":{"msg":"corrupt"}}}',
    '{"s":"F","c":"ASSERT","msg":"\\n\\n***aborting after fassert() failure\\n\\n"}',
    '{"s":"F","c":"CONTROL","msg":"Writing fatal message","attr":{"message":"Got signal: 6 (Aborted).\\n"}}',
    '{"s":"I","c":"CONTROL","msg":"Frame","attr":{"frame":{"a":"56259A"}}}',
)


@pytest.mark.parametrize(
    ("log", "said"),
    [
        ((), ""),
        (("starting", "fatal: no such colour", ""), "fatal: no such colour"),
        (("ValueError: no such colour", "bye"), "ValueError: no such colour"),
        (("Error: no such colour", "    at run (/srv/a.js:1:2)", "", "Node.js v22.1.0"), "Error: no such colour"),
        (CORRUPT, "WiredTiger error message: corrupt"),
        (CORRUPT[3:], "Writing fatal message: Got signal: 6 (Aborted)."),
        (('{"level":50,"msg":"cannot start","err":{"message":"no such colour"}}',), "cannot start: no such colour"),
        (('{"severity":"ERROR","message":"no such colour"}', '{"severity":"INFO","message":"bye"}'), "no such colour"),
        (("{not JSON", "[1]"), "[1]"),
    ],
)
def test_the_line_that_says_most(log: tuple[str, ...], said: str) -> None:
    assert last_error(log) == said


def test_what_stands_above_an_error_is_shown_with_it_and_a_long_line_is_cut() -> None:
    assert telling_lines([*map(str, range(9)), "ValueError: a", "b"]) == ["5", "6", "7", "8", "ValueError: a"]
    assert len(last_error(["x" * 999])) == 200
