"""What is kept out of the log: a link that a patient or a partner holds opens what it is for to anybody."""

import logging
import re

LINK = re.compile(r"(?<=/[pu]/)[^/\s?]+")


class WithoutLinks(logging.Filter):
    """Takes the key out of the paths of requests; the line stays."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(
                LINK.sub("…", each) if isinstance(each, str) else each for each in record.args
            )
        return True
