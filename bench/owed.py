"""What a message owes, in plain SQL over psycopg2: how far any code could get in batches, for bench/dispatch.py.

It keeps the same promises in the fewest statements: one claim (one message a patient and an address), one look at
what the words name, one beginning that asks once more whether a STOP or an end has come, and one end with the event,
the count and the next plan. No Django, no hours, no gate, one text with its places filled.
"""

import hashlib
import hmac
import uuid
from datetime import timedelta

from bench.outbox import NOW, Outbox

BATCH = 500
WORDS = (
    "{name}, {clinic}: your next step is ready. Please book it by {by}: {link} or call {phone}. Thank you."
)
BUSY = (
    "EXISTS (SELECT 1 FROM outreach_attempt o WHERE o.{shared} = a.{shared} AND o.id <> a.id"
    " AND (o.status = 'sending' OR o.status = 'planned' AND o.send_at < a.send_at))"
)
CLAIM = (
    "WITH due AS MATERIALIZED (SELECT id FROM outreach_attempt a WHERE status = 'planned' AND channel = 'sms'"
    f" AND send_at <= %(now)s AND NOT {BUSY.format(shared='patient_id')}"
    f" AND NOT {BUSY.format(shared='contact_point_id')}"
    " ORDER BY send_at LIMIT %(limit)s FOR NO KEY UPDATE SKIP LOCKED)"
    " UPDATE outreach_attempt a SET status = 'sending', lease = %(lease)s, lease_until = %(until)s"
    " FROM due WHERE a.id = due.id RETURNING a.id"
)
LOOK = """
    SELECT a.id, p.given_name, p.language, c.value, s.due_at, j.public_id, j.link_version, k.name, k.phone
    FROM outreach_attempt a
    JOIN patients_patient p ON p.id = a.patient_id
    JOIN patients_contactpoint c ON c.id = a.contact_point_id
    JOIN outreach_outreachtask t ON t.id = a.task_id
    JOIN journeys_step s ON s.id = t.step_id
    JOIN journeys_journey j ON j.id = s.journey_id
    JOIN patients_clinic k ON k.id = a.clinic_id
    WHERE a.id = ANY(%(ids)s)
"""
BEGIN = """
    UPDATE outreach_attempt a SET called_at = %(now)s, language = v.language, subject = '', body = v.body
    FROM unnest(%(ids)s::bigint[], %(languages)s::text[], %(bodies)s::text[]) v(id, language, body)
    WHERE a.id = v.id AND a.lease = %(lease)s AND a.lease_until > %(now)s AND a.expires_at > %(now)s
    AND EXISTS (SELECT 1 FROM patients_patient p WHERE p.id = a.patient_id AND p.status = 'active')
    AND EXISTS (SELECT 1 FROM outreach_outreachtask t JOIN journeys_step s ON s.id = t.step_id
        WHERE t.id = a.task_id AND t.status = 'open' AND s.status = 'active')
    AND EXISTS (SELECT 1 FROM patients_patientcontact t WHERE t.patient_id = a.patient_id
        AND t.contact_point_id = a.contact_point_id AND t.may_say = 'all' AND t.suspended_at IS NULL)
    AND EXISTS (SELECT 1 FROM patients_contactpoint c WHERE c.id = a.contact_point_id AND c.status <> 'bad')
    AND NOT EXISTS (SELECT 1 FROM patients_consent c
        JOIN outreach_outreachtask t ON t.id = a.task_id AND t.purpose = c.purpose
        WHERE c.patient_id = a.patient_id AND c.contact_point_id = a.contact_point_id AND c.channel = a.channel
        AND c.status = 'withdrawn' AND c.superseded_at IS NULL)
    RETURNING a.id
"""
END = """
    WITH sent AS (
        UPDATE outreach_attempt a SET status = 'sent', lease = NULL, lease_until = NULL, sent_at = %(now)s,
            ended_at = %(now)s, provider_reference = a.id::text
        WHERE a.id = ANY(%(ids)s) AND a.lease = %(lease)s RETURNING a.task_id
    ), counted AS (
        UPDATE outreach_outreachtask t SET unanswered = unanswered + 1, plan_from = %(again)s
        FROM sent WHERE t.id = sent.task_id RETURNING t.step_id, t.message_key
    )
    INSERT INTO journeys_stepevent (step_id, kind, at, detail) SELECT step_id, 'contacted', %(now)s, message_key
    FROM counted
"""


def send_owed(outbox: Outbox) -> None:
    """All that is due by SMS, in batches; nothing is called."""
    with outbox.connection.connection.cursor() as cursor:
        while True:
            given = {
                "now": NOW,
                "limit": BATCH,
                "lease": str(uuid.uuid4()),
                "until": NOW + timedelta(seconds=90),
                "again": NOW + timedelta(days=1),
            }
            cursor.execute(CLAIM, given)
            claimed = [row[0] for row in cursor.fetchall()]
            if not claimed:
                break
            cursor.execute(LOOK, {"ids": claimed})
            rows = cursor.fetchall()
            told = {
                "ids": [row[0] for row in rows],
                "languages": [row[2] for row in rows],
                "bodies": [_words(*row) for row in rows],
            }
            cursor.execute(BEGIN, given | told)
            cursor.execute(END, given | {"ids": [row[0] for row in cursor.fetchall()]})
    outbox.refuse_unless_all_sent()


def _words(_pk: int, name: str, *about: object) -> str:
    _language, _to, due_at, named, version, clinic, phone = about
    signed = hmac.new(b"secret", f"{named}{version}".encode(), hashlib.sha256).hexdigest()[:22]
    link = f"https://visits.example.org/p/{named}{signed}/"
    return WORDS.format(name=name, clinic=clinic, by=f"{due_at:%A %d %B, %H:%M}", link=link, phone=phone)
