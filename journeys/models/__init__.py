"""The engine's tables: templates of journeys, the journeys themselves, and Step, the house's only clock."""

from journeys.models.journey import (
    OPEN_JOURNEYS,
    Journey,
    JourneyStatus,
    LostBecause,
    Urgency,
)
from journeys.models.step import (
    TOLD_AGAIN,
    EventKind,
    Step,
    StepEvent,
    StepStatus,
)
from journeys.models.template import (
    ContactWhen,
    EdgeEffect,
    JourneyTemplate,
    OwnerRole,
    StepEdge,
    StepKind,
    StepTemplate,
    TemplateStatus,
)
from journeys.models.words import (
    Words,
    in_each_language,
    isolated,
    named,
)

__all__ = [
    "OPEN_JOURNEYS",
    "TOLD_AGAIN",
    "ContactWhen",
    "EdgeEffect",
    "EventKind",
    "Journey",
    "JourneyStatus",
    "JourneyTemplate",
    "LostBecause",
    "OwnerRole",
    "Step",
    "StepEdge",
    "StepEvent",
    "StepKind",
    "StepStatus",
    "StepTemplate",
    "TemplateStatus",
    "Urgency",
    "Words",
    "in_each_language",
    "isolated",
    "named",
]
