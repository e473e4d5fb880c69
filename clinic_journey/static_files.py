"""Where a file of ours is served from: it changes with no request, so it is worked out once.

A page names the icons' file a dozen times.
"""

from typing import Any

from django.contrib.staticfiles.storage import StaticFilesStorage
from whitenoise.storage import CompressedManifestStaticFilesStorage  # type: ignore[import-untyped]


class AskedOnce(StaticFilesStorage):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._known: dict[str | None, str] = {}

    def url(self, name: str | None, *more: Any, **named: Any) -> str:
        if name not in self._known:
            self._known[name] = super().url(name, *more, **named)
        return self._known[name]


class Plain(AskedOnce):
    """As they lie in static/."""


class Named(AskedOnce, CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """With a digest of what is in them in their names; `collectstatic` makes them."""
