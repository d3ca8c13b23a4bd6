"""Names of variables and URLs that hold passwords."""

import pytest

from layerstack.secret_text import PASSWORD_IN_URL, SECRET_NAME


@pytest.mark.parametrize(
    "name", ["MYSQL_PASSWORD", "DB_PASSWD", "DB_PWD", "MYSQLPWD", "ApiKey", "API_KEY", "AWS_CREDENTIALS", "PRIVATE_KEY"]
)
def test_names_of_secrets(name: str) -> None:
    assert SECRET_NAME.search(name)


@pytest.mark.parametrize("name", ["PWD", "OLDPWD", "PATH", "KEYBOARD", "PASS_THROUGH_PORT"])
def test_names_of_other_things(name: str) -> None:
    assert not SECRET_NAME.search(name)


def test_passwords_in_urls() -> None:
    assert PASSWORD_IN_URL.search("mongodb://user:word@db/x")
    assert PASSWORD_IN_URL.search("redis://:word@cache")
    assert not PASSWORD_IN_URL.search("http://db:27017/a@b")
