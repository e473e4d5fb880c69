"""The question of the map asked in plain SQL, written by hand: nothing of the product's own measure is used."""

from datetime import datetime
from typing import Any

from django.db import connection

from clinic_journey.reports.stages import hours_of
from patients.models import Clinic
from patients.windows import open_intervals

Edge = tuple[str, str]

PASSAGES = """
WITH ended AS (
  SELECT s.id, s.journey_id, s.template_step_id, s.opened_at, s.completed_at AS at,
         (s.outcome IN ('declined', 'could_not_reach', 'no_show', 'cancelled')
          AND s.completed_at = j.ended_at) IS TRUE AS lost
  FROM journeys_step s
  JOIN journeys_journey j ON j.id = s.journey_id
  JOIN journeys_steptemplate t ON t.id = s.template_step_id
  JOIN journeys_journeytemplate m ON m.id = t.template_id
  WHERE s.clinic_id = %(clinic)s AND s.completed_at >= %(start)s AND s.completed_at < %(end)s AND m.key = %(key)s
  UNION ALL (
  SELECT DISTINCT ON (j.id) s.id, j.id, s.template_step_id, s.opened_at, j.ended_at, true
  FROM journeys_journey j
  JOIN journeys_step s ON s.journey_id = j.id AND s.status = 'cancelled'
  JOIN journeys_steptemplate t ON t.id = s.template_step_id
  JOIN journeys_journeytemplate m ON m.id = t.template_id
  JOIN journeys_stepevent e ON e.step_id = s.id AND e.kind = 'cancelled' AND e.at = j.ended_at
  WHERE j.clinic_id = %(clinic)s AND j.status = 'cancelled' AND j.lost_because <> ''
    AND j.ended_at >= %(start)s AND j.ended_at < %(end)s AND m.key = %(key)s
  ORDER BY j.id, s.opened_at DESC, s.id DESC)
), opened AS (
  SELECT DISTINCT ON (e.id) e.id, t.key AS source
  FROM ended e
  JOIN journeys_step o ON o.journey_id = e.journey_id AND o.completed_at = e.opened_at
  JOIN journeys_stepedge g ON g.source_id = o.template_step_id AND g.target_id = e.template_step_id
       AND g.effect = 'opens' AND g.outcome IN ('', o.outcome)
  JOIN journeys_steptemplate t ON t.id = o.template_step_id
  ORDER BY e.id, o.id DESC
), tried AS (
  SELECT k.step_id, count(*) AS n
  FROM outreach_outreachtask k JOIN outreach_attempt a ON a.task_id = k.id
  WHERE k.step_id IN (SELECT id FROM ended) AND a.status IN ('sent', 'delivered', 'failed', 'unknown')
  GROUP BY 1
), chased AS (
  SELECT v.step_id, count(*) AS n FROM journeys_stepevent v
  WHERE v.kind = 'chased' AND v.step_id IN (SELECT id FROM ended) GROUP BY 1
), worked AS (
  SELECT starts, ends, sum(extract(epoch FROM ends - starts)) OVER (ORDER BY starts) AS seconds FROM bench_open
), timed AS (
  SELECT coalesce(o.source, '') AS source, t.key AS target, e.lost,
         ((upto.seconds - extract(epoch FROM greatest(upto.ends - e.at, interval '0')))
          - (since.seconds - extract(epoch FROM greatest(since.ends - e.opened_at, interval '0')))
         )::int / 3600 AS hours,
         coalesce(tried.n, 0) AS tries, coalesce(chased.n, 0) AS chases
  FROM ended e
  JOIN journeys_steptemplate t ON t.id = e.template_step_id
  LEFT JOIN opened o ON o.id = e.id
  LEFT JOIN tried ON tried.step_id = e.id
  LEFT JOIN chased ON chased.step_id = e.id
  CROSS JOIN LATERAL (SELECT * FROM worked WHERE starts <= e.at ORDER BY starts DESC LIMIT 1) upto
  CROSS JOIN LATERAL (SELECT * FROM worked WHERE starts <= e.opened_at ORDER BY starts DESC LIMIT 1) since
)
SELECT source, target, count(*) FILTER (WHERE NOT lost), count(*) FILTER (WHERE lost),
       percentile_disc(0.5) WITHIN GROUP (ORDER BY hours) FILTER (WHERE NOT lost),
       percentile_disc(0.9) WITHIN GROUP (ORDER BY hours) FILTER (WHERE NOT lost),
       sum(tries)::int, sum(chases)::int
FROM timed GROUP BY 1, 2
"""


def write_open_hours(clinic: Clinic, start: datetime, end: datetime) -> None:
    """The stretches in which the clinic is open, as a table for the statement."""
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS bench_open")
        cursor.execute("CREATE TEMP TABLE bench_open (starts timestamptz PRIMARY KEY, ends timestamptz)")
        stretches = [(each.start, each.end) for each in open_intervals(hours_of(clinic), start, end)]
        cursor.executemany("INSERT INTO bench_open VALUES (%s, %s)", stretches)
        cursor.execute("ANALYZE bench_open")


def asked_by_hand(clinic: Clinic, key: str, start: datetime, end: datetime) -> dict[Edge, tuple[Any, ...]]:
    write_open_hours(clinic, start, end)
    return ask(clinic, key, start, end)


def ask(clinic: Clinic, key: str, start: datetime, end: datetime) -> dict[Edge, tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(PASSAGES, {"clinic": clinic.pk, "key": key, "start": start, "end": end})
        return {(row[0], row[1]): tuple(row[2:]) for row in cursor.fetchall()}
