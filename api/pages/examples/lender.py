"""A lender's nightly check of its borrowers, in Python 3.11 without any library.

    XINHENG_URL=https://… XINHENG_KEY=xh_… python lender.py borrowers.json

The file: [{"subject_id": "…", "consent": "…", "purpose": "monitoring"}, …]
"""

import json
import os
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

MOST = 1_000
"""Checks of one call."""


def send(path: str, body: object, tries: int = 5) -> Any:
    """POST; where the server is busy, wait as long as it says."""
    headers = {"Authorization": f"Bearer {os.environ['XINHENG_KEY']}", "Content-Type": "application/json"}
    address, data = os.environ["XINHENG_URL"] + path, json.dumps(body).encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(address, data, headers)) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as error:
        if error.code in (429, 503) and tries > 1:
            time.sleep(int(error.headers.get("Retry-After", "5")))
            return send(path, body, tries - 1)
        problem = json.load(error)
        sys.exit(f"{problem['status']} {problem['title']}: {problem['detail']}")
    except urllib.error.URLError as error:
        sys.exit(f"{address} can't be reached: {error.reason}")


def main() -> None:
    """Print a line for each borrower."""
    borrowers = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    for first in range(0, len(borrowers), MOST):
        checks = borrowers[first : first + MOST]
        answers = send("/v1/lender-checks/batch", {"checks": checks})["answers"]
        for check, answer in zip(checks, answers, strict=True):
            match answer["outcome"]:
                case "answered":
                    said = f"{answer['tier']}, {answer['lane']}, until {answer['valid_until']}"
                case "expired":
                    said = f"{answer['tier']} of {answer['graded_on']}, too old to rely on"
                case outcome:  # refused, unknown, invalid
                    said = f"{outcome}: {answer['reason']}"
            print(check["subject_id"], said)


if __name__ == "__main__":
    main()
