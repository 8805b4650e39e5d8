"""What a browser says it is, in two words: enough for its owner to know it again, and too little to know it by.

The rest of what it says is not kept: versions and devices together would be a fingerprint.
"""

from __future__ import annotations

import re

from django.utils.translation import gettext

MOST_READ = 512

FAMILIES = (
    ("Edge", r"\bEdgA?/|\bEdgiOS/"),
    ("Opera", r"\bOPR/|\bOpera\b"),
    ("Samsung Internet", r"\bSamsungBrowser/"),
    ("Vivaldi", r"\bVivaldi/"),
    ("Firefox", r"\bFirefox/|\bFxiOS/"),
    ("Chrome", r"\bChrome/|\bCriOS/|\bChromium/"),
    ("Safari", r"\bSafari/|\bAppleWebKit/.*\bMobile/"),
)
"""Those that pretend to be others come before them."""
SYSTEMS = (
    ("iPadOS", r"\biPad\b"),
    ("iOS", r"\biPhone\b|\biPod\b"),
    ("Android", r"\bAndroid\b"),
    ("Windows", r"\bWindows\b"),
    ("ChromeOS", r"\bCrOS\b"),
    ("macOS", r"\bMac OS X\b|\bMacintosh\b"),
    ("Linux", r"\bLinux\b|\bX11\b"),
)

Names = tuple[tuple[str, str], ...]


def short(agent: str) -> str:
    """Family and system as they are kept, such as ``Firefox/Linux``; either may be empty, and nothing else is taken over."""
    said = agent[:MOST_READ]
    family, system = _first(FAMILIES, said), _first(SYSTEMS, said)
    return f"{family}/{system}" if family or system else ""


def _first(names: Names, said: str) -> str:
    return next((name for name, pattern in names if re.search(pattern, said)), "")


def in_words(kept: str) -> str:
    """What was kept, for people."""
    family, _, system = kept.partition("/")
    if family and system:
        return gettext("%(browser)s on %(system)s") % {"browser": family, "system": system}
    return family or (
        gettext("a browser on %(system)s") % {"system": system} if system else gettext("an unknown browser")
    )
