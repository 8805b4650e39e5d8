"""The site of the tests, with the admin."""

from __future__ import annotations

from django.contrib import admin
from django.urls import path

from tests.http.urls import urlpatterns as guarded

urlpatterns = [path("admin/", admin.site.urls), *guarded]
