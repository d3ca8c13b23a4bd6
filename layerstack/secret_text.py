"""What looks like a password: by the name of its variable, or in a URL."""

import re

# Not PWD and OLDPWD, which every shell sets to a folder.
# `DB_PASSWORD`, `GITHUB_TOKEN`, `CREDENTIALS`, `DB_PWD`, `DB_PASS`, `requirepass`; not `PASSENGER_APP_ENV`
SECRET_NAME = re.compile(
    r"secret|token|passw|(?<=_)pass(?![a-z])|requirepass|credential|api_?key|private|(?<=\w)(?<!old)pwd", re.IGNORECASE
)
# `mongodb://admin:secret@db:27017`
PASSWORD_IN_URL = re.compile(r"://[^/\s:@]*:[^/\s@]+@")
