"""The routes of all apps on one page."""

urlpatterns: list = []
