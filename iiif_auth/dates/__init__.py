"""What opens or ends when: presets for the end of a grant, the agenda, calendars and reminders."""

from __future__ import annotations
