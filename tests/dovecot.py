"""A real IMAP server for a test: Dovecot without root, on a loopback port, gone afterwards with its mail."""

import grp
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from imapclient import IMAPClient

from tests.conftest import need

USER, PASSWORD = "results@alon.example", "s3cret:/@"
URL_USER, URL_PASSWORD = "results%40alon.example", "s3cret%3A%2F%40"

CONFIG = """
protocols = imap
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
auth_failure_delay = 0
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/log
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
first_valid_uid = 1
mail_location = maildir:{folder}/mail
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service anvil {{
  chroot =
}}
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={folder}/home
}}
"""


@dataclass(frozen=True)
class Server:
    port: int
    folder: Path

    @property
    def url(self) -> str:
        return f"imap://{URL_USER}:{URL_PASSWORD}@127.0.0.1:{self.port}/INBOX"

    @contextmanager
    def client(self) -> Iterator[IMAPClient]:
        """Somebody else who looks into the mailbox."""
        with IMAPClient("127.0.0.1", port=self.port, ssl=False, timeout=10) as client:
            client.login(USER, PASSWORD)
            client.select_folder("INBOX")
            yield client

    def uid_validity(self) -> int:
        with self.client() as client:
            return int(client.select_folder("INBOX")[b"UIDVALIDITY"])

    def deal_new_numbers(self) -> None:
        """What a restore from a backup does: the same mails under another UIDVALIDITY."""
        numbers = self.folder / "mail" / "dovecot-uidlist"
        head, rest = numbers.read_text().split("\n", 1)
        before = self.uid_validity()
        numbers.write_text(head.replace(f"V{before}", f"V{before + 1000}") + "\n" + rest)
        for index in (self.folder / "mail").glob("dovecot.index*"):
            index.unlink()


@contextmanager
def dovecot(port: int | None = None) -> Iterator[Server]:
    """Run the server as a plain user: as we are, or as `nobody` where the tests run as root."""
    program = shutil.which("dovecot") or shutil.which("dovecot", path="/usr/sbin")
    need(program, "Dovecot (apt install dovecot-imapd)")
    assert program is not None
    account = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    folder = Path(tempfile.mkdtemp(prefix="dovecot-"))
    server = Server(port or free_port(), folder)
    (folder / "conf").write_text(
        CONFIG.format(
            folder=folder,
            port=server.port,
            password=PASSWORD,
            user=account.pw_name,
            group=_group_name(account.pw_gid),
            uid=account.pw_uid,
            gid=account.pw_gid,
        )
    )
    os.chown(folder, account.pw_uid, account.pw_gid)
    process = subprocess.Popen(
        [program, "-F", "-c", str(folder / "conf")],
        cwd=folder,
        user=account.pw_uid if os.geteuid() == 0 else None,
        group=account.pw_gid if os.geteuid() == 0 else None,
        extra_groups=[] if os.geteuid() == 0 else None,
    )
    try:
        _wait_until_it_answers(server, process)
        yield server
    finally:
        process.terminate()
        process.wait(10)
        shutil.rmtree(folder, ignore_errors=True)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _group_name(gid: int) -> str:
    return grp.getgrgid(gid).gr_name


def _wait_until_it_answers(server: Server, process: "subprocess.Popen[bytes]") -> None:
    stop = monotonic() + 10
    while monotonic() < stop and process.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", server.port), timeout=5) as greeting:
                if greeting.recv(64).startswith(b"* OK"):
                    return
        except ConnectionRefusedError:
            continue
    log = server.folder / "log"
    raise AssertionError(f"Dovecot did not start: {log.read_text() if log.exists() else 'no log'}")
