from __future__ import annotations

import os

collect_ignore = [] if os.environ.get("DATABASE_URL", "").startswith("postgres") else ["suite"]
