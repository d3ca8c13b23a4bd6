"""Removes passwords from everything that is shown."""

import re
from collections.abc import Mapping

from layerstack.secret_text import SECRET_NAME

HIDDEN = "***"
_NAME = rf"\w*(?:{SECRET_NAME.pattern})\w*"
_VALUE = r"[^\s\"',;&]+"
# In a sentence a colon after such a word is only a colon: without quotes the name must be in capitals.
PATTERNS = (
    re.compile(r"(?<=://)([^\s:@/]*:)[^\s:@/]+(?=@)"),
    re.compile(rf"(\b{_NAME}\s*=\s*[\"']?){_VALUE}", re.IGNORECASE),
    # `redis-server --requirepass hunter2`, `mongosh --password hunter2`
    re.compile(rf"(\s--?[\w-]*(?:{SECRET_NAME.pattern})[\w-]*\s+[\"']?)(?!-){_VALUE}", re.IGNORECASE),
    re.compile(rf"([\"']{_NAME}[\"']\s*:\s*[\"']?){_VALUE}", re.IGNORECASE),
    re.compile(rf"(\b(?=[A-Z_]+: )\w*(?i:{SECRET_NAME.pattern})\w*: ){_VALUE}"),
)
# Masking a short value would hide ordinary words.
SHORTEST = 6


def mask(text: str, environment: Mapping[str, str] | None = None) -> str:
    """The text with passwords in URLs, in assignments and, with an environment, its secret values hidden."""
    for name, value in (environment or {}).items():
        # A value such as `password` in MONGO_PASSWORD is an ordinary word in any other place.
        # `DB_PASSWORD_FILE` holds no secret but the place of one.
        is_secret = SECRET_NAME.search(name) and not (name.upper().endswith("_FILE") and value.startswith("/"))
        if is_secret and len(value) >= SHORTEST and value.lower() not in name.lower():
            text = text.replace(value, HIDDEN)
    for pattern in PATTERNS:
        text = pattern.sub(rf"\1{HIDDEN}", text)
    return text
