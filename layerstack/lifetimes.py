"""End of security fixes for versions of runtimes and distributions, as announced by their makers.

Dates from https://endoflife.date; for distributions the end of free support: LTS of Debian, standard support of Ubuntu.
For an announced month the date is its last day. Missing versions are not judged.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

# Runtime → version → its last day.
LIFETIMES: Mapping[str, Mapping[str, str]] = {
    "Node.js": {
        **{"12": "2022-04-30", "14": "2023-04-30", "16": "2023-09-11", "17": "2022-06-01", "18": "2025-04-30"},
        **{"19": "2023-06-01", "20": "2026-04-30", "21": "2024-06-01", "22": "2027-04-30", "23": "2025-06-01"},
        **{"24": "2028-04-30"},
    },
    "Python": {
        **{"2.7": "2020-01-01", "3.6": "2021-12-23", "3.7": "2023-06-27", "3.8": "2024-10-07", "3.9": "2025-10-31"},
        **{"3.10": "2026-10-31", "3.11": "2027-10-31", "3.12": "2028-10-31", "3.13": "2029-10-31"},
    },
    "Debian": {
        **{"8": "2020-06-30", "9": "2022-06-30", "10": "2024-06-30", "11": "2026-08-31", "12": "2028-06-30"},
    },
    "Ubuntu": {
        **{"16.04": "2021-04-30", "18.04": "2023-05-31", "20.04": "2025-05-31", "22.04": "2027-04-30"},
        **{"24.04": "2029-04-30"},
    },
    "Alpine": {
        **{"3.15": "2023-11-01", "3.16": "2024-05-23", "3.17": "2024-11-22", "3.18": "2025-05-09"},
        **{"3.19": "2025-11-01", "3.20": "2026-04-01", "3.21": "2026-11-01", "3.22": "2027-05-01"},
    },
    "MongoDB": {"4.2": "2023-04-30", "4.4": "2024-02-29", "5.0": "2024-10-31", "6.0": "2025-07-31"},
    "PostgreSQL": {
        **{"9.6": "2021-11-11", "10": "2022-11-10", "11": "2023-11-09", "12": "2024-11-21", "13": "2025-11-13"},
        **{"14": "2026-11-12", "15": "2027-11-11", "16": "2028-11-09", "17": "2029-11-08"},
    },
    "MySQL": {"5.7": "2023-10-31", "8.0": "2026-04-30"},
    "PHP": {
        **{"7.3": "2021-12-06", "7.4": "2022-11-28", "8.0": "2023-11-26", "8.1": "2025-12-31", "8.2": "2026-12-31"},
        **{"8.3": "2027-12-31", "8.4": "2028-12-31"},
    },
    "Ruby": {"2.6": "2022-04-12", "2.7": "2023-03-31", "3.0": "2024-04-23"},
    "Go": {"1.20": "2024-02-06", "1.21": "2024-08-13", "1.22": "2025-02-11", "1.23": "2025-08-12"},
}


@dataclass(frozen=True)
class Runtime:
    """One version of a runtime or distribution, as in the table."""

    kind: str
    version: str

    @property
    def last_day(self) -> date:
        return date.fromisoformat(LIFETIMES[self.kind][self.version])

    @property
    def text(self) -> str:
        return f"{self.kind} {self.version}"

    @property
    def ended_text(self) -> str:
        """`Node.js 18 has had no security fixes since 2025-04-30`"""
        return f"{self.text} has had no security fixes since {self.last_day}"

    def has_ended(self, today: date) -> bool:
        return self.last_day < today

    def next_supported(self, today: date) -> "Runtime | None":
        """The next newer version that gets fixes; None when the table has none."""
        newer = sorted((one for one in LIFETIMES[self.kind] if _key(one) > _key(self.version)), key=_key)
        found = (Runtime(self.kind, one) for one in newer)
        return next((one for one in found if not one.has_ended(today)), None)


def find_runtime(kind: str, version: str) -> Runtime | None:
    """The entry for a version: Python 3.9.2 is in 3.9, Node.js 18.20 in 18; None when the table has none."""
    parts = version.removeprefix("v").split(".")
    # The longest first: Python 3.9 is a line of its own, Node.js 18.20 belongs to 18.
    known = (".".join(parts[:count]) for count in range(len(parts), 0, -1))
    return next((Runtime(kind, one) for one in known if one in LIFETIMES.get(kind, {})), None)


def _key(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))
