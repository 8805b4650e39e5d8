"""What the demo site knows of an account besides what Django knows."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class Preference(models.Model):
    """The language that somebody chose while signed in."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    language = models.CharField(max_length=35)

    def __str__(self) -> str:
        return f"{self.user}: {self.language}"
