"""Where a file stops being YAML: Compose says the line, not always of which file."""

from collections.abc import Iterable
from pathlib import Path

import yaml


def find_yaml_error(files: Iterable[Path]) -> str:
    """`docker-compose.yml:4: expected <block end>, but found …`; "" when all of them can be parsed."""
    for path in files:
        if path.suffix not in (".yml", ".yaml"):
            continue
        try:
            yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
        except yaml.MarkedYAMLError as error:
            line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
            return f"{path.name}{line}: {error.problem}"
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            return f"{path.name}: {str(error).splitlines()[0]}"
    return ""
