"""The REST API's root: the router of all apps, and what they share."""

from rest_framework.pagination import CursorPagination
from rest_framework.routers import DefaultRouter

router = DefaultRouter()


class KeysetPagination(CursorPagination):
    """Pages by key, so that depth costs nothing; never a COUNT over an open set."""

    ordering = "-id"
    page_size_query_param = "page_size"
    max_page_size = 200
