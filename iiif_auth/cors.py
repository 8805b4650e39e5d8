"""What every viewer on every site must be able to read, and to ask for (requirements 2.8)."""

from __future__ import annotations

CORS = {"Access-Control-Allow-Origin": "*"}
PREFLIGHT = {
    **CORS,
    "Access-Control-Allow-Methods": "GET, HEAD, OPTIONS",
    # By the Fetch standard * does not cover Authorization, so it is listed by name (A2-PRB-18).
    "Access-Control-Allow-Headers": "Authorization, Range",
    "Access-Control-Max-Age": "600",
}
