"""V1 to V5 of the design: every list page of the product on 1M patients and 200,000 open tasks.

    .venv/bin/python -m bench.pages [--small 10000] [--large 1000000]

Two databases, a small and a large one, are asked by turns. The pages are asked for through the product's own
URLs, views and templates, in this process. 20 clinics share the patients, so the clinic that is looked at has 500
of them in the small database and 50,000 in the large one. "Bare SQL" is one statement,
written by hand, that fetches the same rows.
"""

import argparse
import re
import statistics
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from bench.database import PAIRS, connect, line, seconds
from bench.requests import measure_requests

if TYPE_CHECKING:
    from bench.crowd import Crowd

CLINICS = 20
REPEATED = 5
ROWS = 50  # of a page of the list of patients
DEEP = 180  # pages: the 9,000th row
NAMES = ("Levi", "Кузнецова", "מזרחי", "حداد", "Morgan", "Иванова", "אברהם", "زعبي")
DESK = (
    "/today/",
    "/patients/",
    "/results/",
    "/results/?list=expected",
    "/results/?list=unmatched",
    "/results/?list=closed",
    "/calendar/",
    "/calendar/week/",
    "/silent/",
    "/waiting/",
    "/patients/cards/",
    "/today/live/",
    "/results/fresh/",
    "/calendar/print/",
    "/caller/?q=organ",
)
MANAGERS = (
    "/audit/",
    "/audit/?q=502000020",
    "/reports/ledgers/",
    "/schedules/",
    "/visit-types/",
    "/referrals/refused-holds/",
    "/import/",
    "/setup/standards/",
)
SEARCHES = {
    "latin": "organ",
    "cyrillic": "узнец",
    "hebrew": "זרח",
    "arabic": "حدا",
    "number": "502-00 01",
    "two letters": "mo",
    "two digits": "50",
    "nobody": "zzzz",
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--small", type=int, default=10_000)
    parser.add_argument("--large", type=int, default=1_000_000)
    asked = parser.parse_args()
    connect("postgresql")
    from bench.crowd import Crowd  # noqa: PLC0415 - app ready

    large, small = (Crowd(size, clinics=CLINICS, names=NAMES) for size in (asked.large, asked.small))
    print(f"\npostgresql, {asked.large:,} patients, {large.open_tasks:,} open tasks", flush=True)
    for name, role, path in list_pages():
        ratio = statistics.median(
            milliseconds(large, role, path) / milliseconds(small, role, path) for _pair in range(PAIRS)
        )
        words = f"{milliseconds(large, role, path):.1f} ms, {ratio:.2f}"
        line(
            f"V4 {name}: at {asked.large:,} / at {asked.small:,} patients", words, "<= 1.5", met=ratio <= 1.5
        )
        queries = count_queries(large, role, path)
        line(f"V5 {name}: queries", str(queries), "<= 12", met=queries <= 12)
    measure_depth(large)
    measure_bare(large)
    measure_requests(large)


def list_pages() -> Iterator[tuple[str, str, str]]:
    """Name, role and address of each list that a clinic opens, and the search in four scripts and by number."""
    for path in DESK:
        yield path, "receptionist", path
    for script, text in SEARCHES.items():
        yield f"search, {script}", "receptionist", f"/patients/?q={text}"
    for path in MANAGERS:
        yield path, "manager", path


def milliseconds(crowd: "Crowd", role: str, path: str) -> float:
    """Median time of the whole answer, after two that warm up."""
    client = crowd.client(role)
    answer = client.get(path)
    assert answer.status_code in (200, 204), f"{path}: {answer.status_code}"
    client.get(path)
    return statistics.median(seconds(lambda: client.get(path)) for _turn in range(REPEATED)) * 1000


def count_queries(crowd: "Crowd", role: str, path: str) -> int:
    """What is asked of the database; that a transaction begins or ends asks nothing."""
    from django.db import connection  # noqa: PLC0415 - app ready
    from django.test.utils import CaptureQueriesContext  # noqa: PLC0415 - app ready

    client = crowd.client(role)
    client.get(path)
    with CaptureQueriesContext(connection) as captured:
        client.get(path)
    return sum(query["sql"] not in ("BEGIN", "COMMIT") for query in captured)


def measure_depth(crowd: "Crowd") -> None:
    """The page that begins after 9,000 names against the first one, by turns; in a smaller clinic the last full one."""
    client = crowd.client("receptionist")
    path, pages = "/patients/", min(DEEP, crowd.size // crowd.clinics // ROWS - 1)
    for _page in range(pages):
        more = re.search(r"after=([0-9a-f-]{36})", client.get(path).content.decode())
        assert more, "The clinic has fewer patients than that."
        path = f"/patients/?q=&after={more[1]}"
    ratio = statistics.median(
        milliseconds(crowd, "receptionist", path) / milliseconds(crowd, "receptionist", "/patients/")
        for _pair in range(PAIRS)
    )
    name = f"V1 /patients/ after {pages * ROWS:,} names / first page"
    line(name, f"{ratio:.2f}", "<= 1.2", met=ratio <= 1.2)


def measure_bare(crowd: "Crowd") -> None:
    """The view with its template, as the floor was measured, and beside it the answer with all that any page pays."""
    for path, statements in (("/patients/", (PATIENTS, BAR)), ("/today/", (TODAY_CALLS, TODAY_STEPS, BAR))):
        pairs = [
            (view_milliseconds(crowd, path), bare_milliseconds(crowd, statements)) for _pair in range(PAIRS)
        ]
        ratio = statistics.median(whole / bare for whole, bare in pairs)
        words = f"{pairs[-1][0]:.1f} / {pairs[-1][1]:.2f} ms = {ratio:.1f}"
        line(f"V2 {path}: view / bare SQL", words, "<= 8", met=ratio <= 8)
        answer = milliseconds(crowd, "receptionist", path)
        line(f"{path}: answer with session, trail and menu", f"{answer:.1f} ms", "<= 25 ms", met=answer <= 25)


def view_milliseconds(crowd: "Crowd", path: str) -> float:
    """Median time of the view alone, called again and again with a request that has passed all before it."""
    from django.urls import resolve  # noqa: PLC0415 - app ready

    request: Any = crowd.client("receptionist").get(path).wsgi_request
    view = resolve(request.path_info).func

    def once() -> None:
        assert view(request).status_code == 200

    once()
    return statistics.median(seconds(once) for _turn in range(REPEATED)) * 1000


BAR = """
    SELECT (SELECT count(DISTINCT coalesce(j.patient_id, -s.id)) FROM journeys_step s
            JOIN journeys_journey j ON j.id = s.journey_id
            WHERE s.clinic_id = %(clinic)s AND s.kind = 'call' AND s.status = 'active'
                AND EXISTS (SELECT FROM outreach_reply r WHERE r.matter_id = s.id)),
        (SELECT count(*) FROM (SELECT FROM journeys_step s
            WHERE s.clinic_id = %(clinic)s AND s.kind = 'review' AND s.status = 'active' LIMIT 100) r)"""
PATIENTS = """
    SELECT p.public_id, p.given_name, p.family_name, p.language, p.birth_date, p.since_on, c.channel, c.told_at,
        (SELECT value FROM patients_patientcontact t JOIN patients_contactpoint a ON a.id = t.contact_point_id
         WHERE t.patient_id = p.id ORDER BY t.rank LIMIT 1)
    FROM patients_patient p JOIN patients_servicecard c ON c.patient_id = p.id
    WHERE p.clinic_id = %(clinic)s AND p.status <> 'merged' ORDER BY p.family_name, p.given_name, p.id LIMIT 51"""
TODAY_CALLS = """
    SELECT a.id, a.send_at, a.expires_at, s.public_id, s.kind, s.due_at, p.given_name, p.family_name, j.title
    FROM outreach_attempt a JOIN outreach_outreachtask t ON t.id = a.task_id
    JOIN journeys_step s ON s.id = t.step_id JOIN journeys_journey j ON j.id = s.journey_id
    JOIN patients_patient p ON p.id = a.patient_id
    WHERE a.clinic_id = %(clinic)s AND a.channel = 'phone' AND a.status = 'planned' AND a.send_at <= now()
        AND a.expires_at > now() AND t.status = 'open' AND s.status = 'active'
    ORDER BY a.send_at LIMIT 200"""
TODAY_STEPS = """
    SELECT s.id, s.public_id, s.kind, s.due_at, p.given_name, p.family_name, j.title
    FROM journeys_step s JOIN journeys_journey j ON j.id = s.journey_id
    LEFT JOIN patients_patient p ON p.id = j.patient_id
    WHERE s.clinic_id = %(clinic)s AND s.status = 'active' AND s.owner_role = 'receptionist'
        AND s.due_at <= now() + interval '31 days'
        AND NOT EXISTS (SELECT FROM outreach_outreachtask t JOIN outreach_attempt a ON a.task_id = t.id
            WHERE t.step_id = s.id AND a.channel = 'phone' AND a.status IN ('planned', 'sending'))
        AND (s.due_at <= now() OR (SELECT t.id FROM outreach_outreachtask t
            WHERE t.step_id = s.id AND t.status = 'open') IS NULL)
    ORDER BY s.due_at LIMIT 200"""


def bare_milliseconds(crowd: "Crowd", statements: tuple[str, ...]) -> float:
    def fetch() -> list[tuple[Any, ...]]:
        return [row for sql in statements for row in crowd.fetch(sql, {"clinic": crowd.clinic_id})]

    assert fetch()
    return statistics.median(seconds(fetch) for _turn in range(REPEATED)) * 1000


if __name__ == "__main__":
    main()
