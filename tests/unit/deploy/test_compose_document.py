"""Documents for Docker and Kubernetes: texts stay texts for every reader of YAML."""

import pytest
import yaml

from layerstack.deploy.compose_document import yaml_text


@pytest.mark.parametrize("text", ["1e3", "0o17", "1_000", "0x1F", "+12", "-.5", "12:30", "y", "N", "no", "null", "2"])
def test_a_text_that_some_reader_takes_for_another_value_is_quoted(text: str) -> None:
    (token,) = [one for one in yaml.scan(yaml_text({"TEXT": text})) if isinstance(one, yaml.ScalarToken)][1:]
    assert (token.value, token.plain) == (text, False)


def test_words_are_not_quoted() -> None:
    assert yaml_text({"image": "shop/web:1.2"}) == "image: shop/web:1.2\n"
