"""Triggers that raise the epoch with every change of a rule."""

from __future__ import annotations

from django.db import migrations

from iiif_auth import triggers


def install(apps, schema_editor):
    triggers.install(schema_editor.connection)


def remove(apps, schema_editor):
    triggers.remove(schema_editor.connection)


class Migration(migrations.Migration):
    dependencies = [("iiif_auth", "0001_initial")]
    operations = [migrations.RunPython(install, remove)]
