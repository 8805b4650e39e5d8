"""Why some requirements can not be tested from outside, and what would let others be tested."""

from __future__ import annotations

FROM_INSIDE = "Only the server itself can show it."
OPTIONAL = "It is optional, and nothing met here makes use of it."
NO_DENIED = "Nothing that is refused to anybody was met, so nothing had to be declared."
NO_DENIED_AT_ALL = "Nothing that is refused to anybody was met."
NO_MANIFEST = "No manifest was given; name one instead of an info.json."
NO_IMAGE = "No restricted image service of this version was met."
NO_TIERS = "No image was met of which people without access are given a lesser version."
NO_MEDIA = "No film, recording or document was met that has services of 1.0 on it."
NO_CONTENT = "No film, recording or document was met that has services of the alpha on it."
NO_CLIENTS = "No login was met that has a client identity service."
AGREED = "It is optional, and who may do it is agreed between people and published nowhere."

REASONS: dict[str, str] = {
    # 2.0.0
    "A2-GEN-01": "The server speaks plain http on this very machine, where nobody has certificates.",
    "A2-DECL-01": NO_DENIED,
    "A2-DECL-02": "No image service with refused pixels was met.",
    "A2-DECL-03": OPTIONAL,
    "A2-DECL-06": "No document by Image API 3 or Presentation API 3 was met that speaks 2.0.0.",
    "A2-DECL-07": "No document by Image API 3 or Presentation API 3 was met that speaks 2.0.0.",
    "A2-DECL-09": "No document by Image API 2 or Presentation API 2 was met that speaks 2.0.0.",
    "A2-DECL-10": OPTIONAL,
    "A2-INT-02": "What a server remembers shows only where it refuses; it may do either.",
    "A2-INT-05": "A server may skip the click for its own viewers; the checker always comes as a viewer from elsewhere.",
    "A2-INT-06": "An access service may work without a cookie; whether one does so on purpose nobody outside can tell.",
    "A2-INT-07": "No kiosk service was met.",
    "A2-TOK-08": "It takes as long to see as the token lives.",
    "A2-TOK-11": "It is optional; no origin that was tried was refused for what it is.",
    "A2-PRB-03": "No token was to be had, so none in the wrong place could be tried.",
    "A2-PRB-05": "It takes tokens of two services, of which one is not under the probe.",
    "A2-PRB-06": "Nothing that has a probe was open to the checker; run it where an address is enough (in the reading room).",
    "A2-PRB-08": "No probe offered a substitute.",
    "A2-PRB-09": "No probe offered a substitute.",
    "A2-PRB-10": "No probe offered a substitute that is open.",
    "A2-PRB-11": "No probe offered a substitute that is itself controlled.",
    "A2-PRB-12": "Which version most people would rather have is a matter of opinion.",
    "A2-PRB-13": "It is optional; which tiers a server knows of and leaves out does not show.",
    "A2-PRB-15": "No probe sent anybody on to another location.",
    "A2-PRB-17": "No token made a difference, and no probe offered a substitute.",
    "A2-CONT-02": "No probe offered a substitute, so there was one tier only.",
    "A2-CONT-03": NO_DENIED,
    # 1.0, and the practice around it
    "A1-DESC-09": "No document by Image API 3 or Presentation API 3 was met that has services of 1.0.",
    "A1-DESC-10": NO_MANIFEST,
    "A1-INFO-01": NO_IMAGE,
    "A1-INFO-02": NO_TIERS,
    "A1-INFO-03": "No image was met of which even the lowest tier is refused.",
    "A1-INFO-04": NO_TIERS,
    "A1-INFO-05": NO_TIERS,
    "A1-INFO-06": NO_IMAGE,
    "A1-INFO-07": NO_TIERS,
    "A1-INFO-13": NO_IMAGE,
    "A1-INFO-14": "Which of the words in a description are secret nobody outside can tell.",
    "A1-ACC-02": "No token was to be had, so no other site could ask for it.",
    "A1-ACC-04": "No click-through service was met.",
    "A1-ACC-05": "No kiosk service was met.",
    "A1-ACC-06": "No external service was met.",
    "A1-ACC-07": "No login service was met.",
    "A1-ACC-08": AGREED,
    "A1X-01": NO_MEDIA,
    "A1X-02": NO_MEDIA,
    "A1X-03": "No film, recording or document was met that has a probe of the practice around 1.0.",
    # 0.9.4
    "A094-DIFF-02": "No service was met that can only be one of 0.9.4.",
    "A094-DIFF-03": "No token was to be had, so it did not show whether it says Bearer.",
    # 0.9.2
    "A092-DESC-04": NO_IMAGE,
    "A092-INFO-01": NO_TIERS,
    "A092-INFO-02": NO_TIERS,
    "A092-INFO-03": NO_IMAGE,
    "A092-INFO-04": NO_IMAGE,
    "A092-INFO-05": NO_IMAGE,
    "A092-LOGIN-05": AGREED,
    "A092-CID-01": NO_CLIENTS,
    "A092-CID-02": NO_CLIENTS,
    "A092-CID-03": NO_CLIENTS,
    "A092-CID-04": NO_CLIENTS,
    # 2.0 alpha
    "A2A-INFO-01": NO_IMAGE,
    "A2A-INFO-02": NO_IMAGE,
    "A2A-INFO-03": NO_TIERS,
    "A2A-INFO-04": "No image was met of which nothing lesser can be had.",
    "A2A-INFO-06": NO_TIERS,
    "A2A-PRB-01": NO_CONTENT,
    "A2A-PRB-02": NO_CONTENT,
    "A2A-PRB-03": NO_CONTENT,
    "A2A-PRB-04": NO_CONTENT,
    "A2A-HEAD-01": NO_CONTENT,
    "A2A-HEAD-02": NO_CONTENT,
    "A2A-HEAD-03": NO_CONTENT,
    "A2A-ACC-02": "No interactive service was met.",
    "A2A-ACC-03": "A server may skip the click for its own viewers; the checker always comes as a viewer from elsewhere.",
    "A2A-ACC-04": "No kiosk service was met.",
    "A2A-CONT-01": NO_DENIED_AT_ALL,
}
"""By requirement: why nobody found out anything, if nobody did. Others that nobody looked at have a general reason."""
