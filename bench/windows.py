"""T1 of the design: when each of a million patients may be contacted next, against a look-up in a dictionary.

    .venv/bin/python -m bench.windows [--patients 1000000]

Ours is what planning and the last look before a message ask: the stretches in which the patient's windows, the
clinic's hours and the country's law are all open (`patients.windows.open_together`), of 40 zones and 12 cards, with
holidays, over the night of a change of the clock. The floor is the least that answers by zone and card: each answer
worked out once, then looked up. Reading the rows of patients is no part of either.
"""

import argparse
import itertools
import tracemalloc
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from zoneinfo import available_timezones

from bench.database import line, ratio_of
from patients import windows
from patients.windows import ALWAYS, Hours, WeeklyWindow, next_open, open_together

ZONES, CARDS = 40, 12
NIGHT = datetime(2026, 3, 26, 21, 0, tzinfo=UTC)  # Israel loses an hour in it; a Friday follows
AHEAD = timedelta(days=8)
GOAL = 5.0
BOUND = 32  # MiB that the answers may hold, whatever the number of patients

Kind = tuple[Hours, ...]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--patients", type=int, default=1_000_000)
    asked = parser.parse_args()
    kinds = kinds_of_hours()
    keys = [n * 7919 % len(kinds) for n in range(asked.patients)]
    patients = [kinds[key] for key in keys]
    print(f"\n{asked.patients:,} patients, {len(kinds)} kinds of hours", flush=True)
    if ours(patients) != floor(keys, kinds):
        raise AssertionError("the two ways differ")
    mine, least, ratio = ratio_of(partial(ours, patients), partial(floor, keys, kinds), between=forget)
    line(
        "T1 microseconds a patient, ours / floor",
        f"{mine / asked.patients * 1e6:.3f} / {least / asked.patients * 1e6:.3f} = {ratio:.1f}",
        f"<= {GOAL:.0f}",
        met=ratio <= GOAL,
    )
    held = memory_for(patients)
    line("T1 memory that the answers hold", f"{held:.1f} MiB", f"<= {BOUND} MiB", met=held <= BOUND)


def kinds_of_hours() -> list[Kind]:
    """The patient's, the clinic's and the law's, as `outreach.queries.hours_for` gives them."""
    shut: dict[date, time | None] = {date(2026, 4, n): None for n in (2, 3, 8)} | {date(2026, 4, 1): time(13)}
    weekdays = (6, 0, 1, 2, 3, 4)
    opening = Hours.of("Asia/Jerusalem", (WeeklyWindow(n, time(8), time(20)) for n in weekdays), shut)
    zones = sorted(zone for zone in available_timezones() if zone.startswith(("Europe/", "Asia/")))
    found: list[Kind] = []
    for zone, card in itertools.product(zones[:ZONES], range(CARDS)):
        told = (WeeklyWindow(n, time(7 + card), time(10 + card)) for n in weekdays[: 1 + card])
        law = (WeeklyWindow(each.weekday, time(8), time(21)) for each in ALWAYS)
        found.append((Hours.of(zone, told, {}), opening, Hours.of(zone, law, {})))
    return found


def ours(patients: Sequence[Kind]) -> list[datetime | None]:
    until = NIGHT + AHEAD
    found = []
    for hours in patients:
        stretches = open_together(hours, NIGHT, until)
        found.append(stretches[0].start if stretches else None)
    return found


def floor(keys: Sequence[int], kinds: Sequence[Kind]) -> list[datetime | None]:
    answers = {key: next_open(NIGHT, *hours, within=AHEAD) for key, hours in enumerate(kinds)}
    return [answers[key] for key in keys]


def forget() -> None:
    """As at the start of a tick that nobody came before."""
    for name in ("open_together", "_open", "starts_at", "ends_at"):
        vars(windows)[name].cache_clear()


def memory_for(patients: Sequence[Kind]) -> float:
    forget()
    tracemalloc.start()
    for hours in patients:
        open_together(hours, NIGHT, NIGHT + AHEAD)
    held, _peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return held / 2**20


if __name__ == "__main__":
    main()
