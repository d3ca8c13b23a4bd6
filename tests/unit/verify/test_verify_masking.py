"""Passwords never come out."""

import pytest

from layerstack.verify.masking import mask


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("mongodb://admin:pass-word@db/x", "mongodb://admin:***@db/x"),
        ("tried mongodb://a:b@c, then redis://:s3cret@d", "tried mongodb://a:***@c, then redis://:***@d"),
        ("POSTGRES_PASSWORD=hunter2 and more", "POSTGRES_PASSWORD=*** and more"),
        ('{"api_key": "abc", "size": 3}', '{"api_key": "***", "size": 3}'),
        ("http://db:27017/ takes no connection", "http://db:27017/ takes no connection"),
        ("the password is wrong", "the password is wrong"),
        ("refuses user or password: the volume is older", "refuses user or password: the volume is older"),
        ("MYSQL_PASSWORD: hunter2", "MYSQL_PASSWORD: ***"),
        ("DB_PWD=hunter2, PWD=/srv", "DB_PWD=***, PWD=/srv"),
        ('{"credential": "abc"}', '{"credential": "***"}'),
        ("SIGNING_PRIVATE_KEY: abc", "SIGNING_PRIVATE_KEY: ***"),
        ("DB_PASS=hunter2, PASSENGER_APP_ENV=production", "DB_PASS=***, PASSENGER_APP_ENV=production"),
        ("`redis-server --requirepass hunter2 --port 6379`", "`redis-server --requirepass *** --port 6379`"),
        ("`mongosh --password hunter2 --quiet`", "`mongosh --password *** --quiet`"),
        ("`docker login --password-stdin --verbose`", "`docker login --password-stdin --verbose`"),
    ],
)
def test_passwords_in_a_text(text: str, shown: str) -> None:
    assert mask(text) == shown


def test_secret_values_of_the_environment_and_only_those() -> None:
    environment = {"DB_PASSWORD": "tr0ub4dor", "TOKEN": "abc", "NAME": "shop-name", "MONGO_PASSWORD": "password"}
    assert mask("tr0ub4dor for shop-name, abc, wrong password", environment) == "*** for shop-name, abc, wrong password"


def test_the_place_of_a_secret_is_none() -> None:
    environment = {"DB_PASSWORD_FILE": "/run/secrets/db", "TOKEN_FILE": "none-of-a-path"}
    assert mask("no /run/secrets/db, none-of-a-path", environment) == "no /run/secrets/db, ***"
