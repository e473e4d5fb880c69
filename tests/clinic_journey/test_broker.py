"""The folder that stands in for a broker: a file nobody can read costs nothing but itself."""

from collections.abc import Iterator
from pathlib import Path
from queue import Empty
from typing import Any

import pytest
from django.conf import settings
from kombu import Connection

from clinic_journey.broker import Transport

QUEUE = "ticks"
EARLIER = "0_first"  # files are taken in the order of their names


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "control").mkdir()
    return tmp_path


@pytest.fixture
def queue(folder: Path) -> Iterator[Any]:
    Transport.global_state.clear()  # what kombu knows of the folder of the test before
    options = {
        **settings.CELERY_BROKER_TRANSPORT_OPTIONS,
        "data_folder_in": str(folder),
        "data_folder_out": str(folder),
        "control_folder": str(folder / "control"),
    }
    with (
        Connection(transport="clinic_journey.broker:Transport", transport_options=options) as connection,
        connection.SimpleQueue(QUEUE) as made,
    ):
        yield made


@pytest.mark.parametrize("content", [b"", b'{"body": "cut off', b"null", b"\xff\xfe"])
def test_a_broken_message_is_skipped_and_the_next_arrives(folder: Path, queue: Any, content: bytes) -> None:
    (folder / f"{EARLIER}.{QUEUE}.msg").write_bytes(content)
    queue.put({"task": "watch steps"})
    message = queue.get(timeout=5)
    message.ack()
    assert message.payload == {"task": "watch steps"}
    assert list(folder.glob("*.msg")) == []


def test_only_a_broken_message_is_an_empty_queue(folder: Path, queue: Any) -> None:
    (folder / f"{EARLIER}.{QUEUE}.msg").touch()
    with pytest.raises(Empty):
        queue.get_nowait()


def test_a_message_that_is_not_whole_yet_is_nobodys(
    folder: Path, queue: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    write = Path.write_text

    def looked_at(path: Path, text: str) -> int:
        written = write(path, text)
        seen.append(queue.channel._size(QUEUE))  # noqa: SLF001 - what another worker would find
        return written

    monkeypatch.setattr(Path, "write_text", looked_at)
    queue.put({"task": "watch steps"})
    assert seen == [0]
    assert queue.qsize() == 1


def test_the_product_uses_it_where_no_broker_is_set() -> None:
    if settings.CELERY_BROKER_URL.startswith("filesystem"):
        assert settings.CELERY_BROKER_TRANSPORT == "clinic_journey.broker:Transport"
