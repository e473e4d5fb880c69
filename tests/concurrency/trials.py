"""How often a trial is made: a few times with every run of the tests, many times where NIGHTLY is set."""

import os


def trials(few: int, nightly: int) -> range:
    """Numbers to be seeds, which a failing test names."""
    return range(nightly if os.environ.get("NIGHTLY") else few)


def size(few: int, nightly: int) -> int:
    """Of one trial that is made once."""
    return nightly if os.environ.get("NIGHTLY") else few
