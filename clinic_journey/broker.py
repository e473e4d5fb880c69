"""The folder that carries messages where no broker is installed: kombu's own, without its two traps.

Kombu creates a message's file under its final name and fills it afterwards: a worker that looks in between takes
an empty file, which is no JSON and ends its thread. So here a file gets its name when it is whole, and one that
cannot be read, whoever left it (a full disk, a power cut), is skipped: the next tick finds the work in the
database (docs/decisions/004).
"""

import logging
from pathlib import Path
from queue import Empty
from time import monotonic
from typing import Any
from uuid import uuid4

from kombu.exceptions import ChannelError
from kombu.transport import filesystem
from kombu.utils.json import dumps

logger = logging.getLogger(__name__)


class Channel(filesystem.Channel):
    def _put(self, queue: str, payload: dict[str, Any], **_options: Any) -> None:  # type: ignore[override]
        folder = Path(self.data_folder_out)
        name = f"{monotonic() * 1000:.0f}_{uuid4()}"
        unfinished = folder / f"{name}.unfinished"
        try:
            unfinished.write_text(dumps(payload))
            unfinished.rename(folder / f"{name}.{queue}.msg")
        except OSError as trouble:
            raise ChannelError(str(trouble)) from trouble

    def _get(self, queue: str, timeout: float | None = None) -> Any:  # noqa: ARG002 - kombu's signature
        """The next message; each broken one costs a look and is gone, since taking a file removes it."""
        while True:
            try:
                message = super()._get(queue)
            except ValueError:
                message = None
            except ChannelError as trouble:  # another worker was quicker
                raise Empty from trouble
            if isinstance(message, dict):
                return message
            logger.warning("A message in the folder of %s could not be read and was skipped.", queue)


class Transport(filesystem.Transport):
    Channel = Channel
