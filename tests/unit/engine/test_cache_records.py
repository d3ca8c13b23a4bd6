"""Which record of the cache looks like which instruction."""

import pytest
from cache_parts import record

from layerstack.dockerfile.recipe_stage import RecipeLine
from layerstack.engine.cache_records import describes


@pytest.mark.parametrize(
    ("description", "keyword", "text"),
    [
        ("[deps 2/4] COPY a b", "COPY", "a  b"),
        ("[2/2] COPY --from=deps /x y", "COPY", "--from=deps /x y"),
        ("[a 2/3] COPY v1.txt /v", "COPY", "${VERSION}.txt /v"),
        ("[a 2/3] COPY <<EOF /etc/motd", "COPY", "<<EOF /etc/motd\nhello\n"),
        ("mount / from exec /bin/sh -c npm ci", "RUN", "--mount=type=cache,target=/c --network=none npm ci"),
        ("mount / from exec /bin/sh -c set -e;     true", "RUN", "set -e;  true"),
        ("mount / from exec /bin/sh -c echo hi\necho there\n", "RUN", "<<EOF\necho hi\necho there\n"),
        ("mount / from exec npm ci", "RUN", '["npm", "ci"]'),
        ("mount / from exec /bin/sh -c [ -f a ]", "RUN", "[ -f a ]"),
    ],
)
def test_a_record_describes_its_instruction(description: str, keyword: str, text: str) -> None:
    assert describes(record("r", description), RecipeLine(keyword, text, 1))


@pytest.mark.parametrize(
    ("description", "keyword", "text"),
    [
        ("[deps 2/4] COPY a b", "COPY", "a c"),
        ("[deps 2/4] COPY a bc", "COPY", "a b"),
        ("mount /mnt/x from exec /bin/sh -c npm ci", "RUN", "npm ci"),
        ("cached mount /c from exec /bin/sh -c npm ci", "RUN", "npm ci"),
        ("mount / from exec /bin/sh -c npm ci", "RUN", "pm ci"),
        ("local source for context", "COPY", "local source"),
    ],
)
def test_a_record_of_something_else_does_not(description: str, keyword: str, text: str) -> None:
    assert not describes(record("r", description), RecipeLine(keyword, text, 1))
