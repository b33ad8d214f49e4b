"""Credit reports: issued by a button, read as they were given out, and verified by anybody."""

from __future__ import annotations

import hashlib

from flask import Response as FileResponse
from flask import redirect, request, url_for
from werkzeug.wrappers import Response

from api.around.context import store
from api.pages.blueprint import blueprint, page
from api.resources.credit_reports import NUMBER, file_of, issued
from scoring.answers.credit_report import Issued, UnknownReportError, verify_report

LONGEST = 60


@blueprint.post("/subjects/<pack_id>/<key:subject_id>/credit-report")
def issue_credit_report(pack_id: str, subject_id: str) -> Response:
    """Issue the credit report of an enterprise, whichever pack it is looked at by, and give its file."""
    return redirect(url_for("pages.credit_report_file", number=issued(subject_id).number), 303)


@blueprint.get(f"/credit-reports{NUMBER}")
def credit_report_file(number: str) -> FileResponse:
    """The file of a report."""
    return file_of(number)


@blueprint.route("/verify-report", endpoint="verify_report", methods=["GET", "POST"])
def verify_report_page() -> Response:
    """Whether a report was issued here, by its number and code; with its file, whether that is unaltered."""
    given = request.form if request.method == "POST" else request.args
    number, code = (given.get(name, "").strip()[:LONGEST] for name in ("number", "code"))
    found, is_refused = None, False
    if number and code:
        try:
            found = verify_report(store(), number, code)
        except UnknownReportError:
            is_refused = True
    is_same = _is_same(found) if found else None
    status, said = 404 if is_refused else 200, {"number": number, "code": code}
    return page("verify_report", status, found=found, is_refused=is_refused, is_same=is_same, **said)


def _is_same(found: Issued) -> bool | None:
    """Whether the file that was sent along is the one that was issued; None where none was."""
    file = request.files.get("file")
    return hashlib.sha256(file.read()).hexdigest() == found.sha256 if file else None
