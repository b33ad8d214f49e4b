"""What visitors send: forms, checked by the schemas of the API, and numbers in addresses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from flask import request
from marshmallow import Schema, ValidationError

from api.around.request import current
from api.http.messages import in_chinese
from api.http.problems import fail
from rules.model import Title

LARGEST = 2**53
"""Of the numbers that the API takes."""


LABELS = {
    "title": "标题", "source": "来源", "counterpart": "企业", "note": "说明", "request": "办理事项",
    "on": "日期", "owner": "责任单位", "urgency": "紧急程度", "satisfied": "是否满意",
    "corrects": "更正的步骤", "reason": "理由", "evidence": "证据", "record": "记录编号",
    "vocabulary": "主体类别", "commitment": "信用承诺", "committed_on": "承诺日期",
    "subject_id": "主体编号", "office": "实施单位", "clause": "措施与条款", "record_id": "记录编号",
    "pack": "评价", "begins_on": "起始日期", "ends_on": "截止日期", "done_on": "检查日期",
    "ground": "事由", "why": "情况说明", "authorities": "检查单位", "inspectors": "执法证号",
    "outcome": "检查结果", "findings": "发现问题", "measures": "处置措施", "rating": "企业评分",
    "words": "企业意见", "text": "意见", "number": "报告编号", "code": "验证码",
    "lender": "金融机构", "purposes": "用途", "valid_from": "起始日期", "valid_until": "截止日期",
    "receiver": "接收系统", "role": "范围", "organisation": "单位", "kinds": "变动种类",
    "address": "推送地址", "after": "起点", "to": "经办人", "as_of": "评价基准日", "month": "月份",
    "seen": "所见的记录版本", "version": "所见的办理进度",
    "seed": "随机种子", "instead_of": "替换的计划", "propose_days": "征求意见天数", "begins": "施行日期",
    "back": "补评次数",
}  # fmt: skip
"""What the fields of the forms are called."""


class FormError(ValueError):
    """What was filled in can't be used; one message for each field that is wrong.

    :ivar fields: the messages by the fields that they stand beside.
    :ivar others: the fields that nothing is wrong with, as they were read.
    """

    def __init__(
        self,
        messages: list[Title],
        fields: Mapping[str, Title] | None = None,
        others: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__("; ".join(message.en for message in messages))
        self.messages = messages
        self.fields = fields or {}
        self.others = others or {}


def filled_in(schema: type[Schema]) -> dict[str, Any]:
    """What the form of this request says; a field that was left empty is left out.

    :param schema: that of the API's request for the same.
    :raises FormError: where the schema refuses it, or it is not to be done yet.
    """
    checked, unsent = schema(), current().unsent
    given = {name: text for name in checked.fields if (text := request.form.get(name, "").strip())}
    try:
        found = dict(checked.load(given))
    except ValidationError as error:
        fields = dict(_messages(error)) | ({"form": unsent} if unsent else {})
        others = {name: value for name, value in dict(error.valid_data or {}).items() if name not in fields}
        raise FormError(list(fields.values()), fields, others) from None
    if unsent is not None:
        raise FormError([unsent], {"form": unsent}, found)
    return found


def ticked(names: Iterable[str], prefix: str) -> list[str]:
    """Those of several boxes that are ticked: ``prefix-name`` each, for a form gives no name twice."""
    return [name for name in names if f"{prefix}-{name}" in request.form]


def ticked_numbers(prefix: str) -> dict[int, int | None]:
    """The numbers whose boxes are ticked, ``prefix-number`` each, with the number that a box says; what is
    no number is left out."""
    ticked = {
        name.removeprefix(f"{prefix}-"): value
        for name, value in request.form.items()
        if name.startswith(f"{prefix}-")
    }
    return {
        int(text): int(value) if _is_number(value) else None
        for text, value in ticked.items()
        if _is_number(text)
    }


def number(name: str) -> int | None:
    """A number of this request's address; None where it names none.

    :raises Problem: 400 where it is no number of anything here.
    """
    text = request.args.get(name, "")
    if not text:
        return None
    if not _is_number(text):
        fail("bad-request", Title(f"地址中的{name}不是本列表的编号", f"{name} is not a number of this list"))
    return int(text)


def posted_number(name: str) -> int:
    """A number that a form carries.

    :raises Problem: 400 where it carries none.
    """
    text = request.form.get(name, "")
    if not _is_number(text):
        fail("bad-request", Title(f"表单中的{name}不是编号", f"{name} of the form is not a number"))
    return int(text)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 17 and int(text) <= LARGEST


def _messages(error: ValidationError) -> Iterator[tuple[str, Title]]:
    for name, said in error.messages_dict.items():
        told = [text if isinstance(text, Title) else Title(_in_chinese(text), text) for text in said]
        zh, en = ";".join(text.zh for text in told), " ".join(text.en for text in told)
        yield str(name), Title(f"{LABELS.get(str(name), name)}:{zh}", f"{name}: {en}")


def _in_chinese(message: str) -> str:
    """A page shows a list of titles, not the codes that a program sends."""
    return "请从列表中选择" if message.startswith("Must be one of: ") else in_chinese(message)
