"""Which files a start command names, in the forms that images and Compose write it."""

import pytest

from layerstack.doctor.start_files import start_files

CONFIG = {"WorkingDir": "/app", "Env": ["PATH=/opt/venv/bin:/usr/bin"]}


@pytest.mark.parametrize(
    ("command", "path"),
    [
        (["node", "src/server.js"], "/app/src/server.js"),
        (["node", "--watch", "./server.js"], "/app/server.js"),
        (["node_modules/.bin/vite"], "/app/node_modules/.bin/vite"),
        (["/entry.sh", "x"], "/entry.sh"),
        (["python", "-m", "shop.web"], "/app/shop/web/__main__.py"),
        (["gunicorn", "app:application"], "/app/app.py"),
        (["gunicorn", "app:application"], "/opt/venv/bin/gunicorn"),
        (["uvicorn", "--factory=x", "shop.main:app"], "/app/shop/main.py"),
        (["/bin/sh", "-c", "cd /app && exec python 'my app.py'"], "/app/my app.py"),
        (["prog", "--config=conf/x.yml"], "/app/conf/x.yml"),
    ],
)
def test_the_command_of_an_image(command: list[str], path: str) -> None:
    assert path in start_files({**CONFIG, "Cmd": command}, {})


def test_entrypoint_and_command_go_together() -> None:
    found = start_files({**CONFIG, "Entrypoint": ["/entry.sh"], "Cmd": ["serve.py"]}, {})
    assert {"/entry.sh", "/app/serve.py"} <= set(found)


def test_the_service_replaces_the_command_and_its_entrypoint_both() -> None:
    config = {**CONFIG, "Entrypoint": ["/entry.sh"], "Cmd": ["serve.py"]}
    commanded = start_files(config, {"command": ["other.py"]})
    assert {"/entry.sh", "/app/other.py"} <= set(commanded)
    assert "/app/serve.py" not in commanded
    entered = start_files(config, {"entrypoint": ["/mine"], "working_dir": "/srv", "command": None})
    assert "/mine" in entered
    assert not {"/entry.sh", "/app/serve.py"} & set(entered)


def test_without_a_command_there_is_none() -> None:
    assert start_files({"WorkingDir": "", "Env": None, "Cmd": None}, {}) == ()
