"""The demo's settings, and a book in which the library writes down what it was asked."""

from __future__ import annotations

from project.settings import *  # noqa: F403
from project.settings import MIDDLEWARE as _MIDDLEWARE

MIDDLEWARE = [*_MIDDLEWARE, "tests.viewers.book.Book"]
