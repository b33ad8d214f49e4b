"""Headers that speak of acts, as those of records do, in a file that reads as one of subjects.

A file of records whose number, kind or status stands under headers that nobody knows still has a code and a
name, and would be read as a list of subjects that says nothing else of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from rules.model import Title
from scoring.facts.ingest.errors import NoTableError
from scoring.facts.ingest.folding import fold_word
from scoring.facts.ingest.form_headers import field_named
from scoring.facts.ingest.forms import Form
from scoring.facts.ingest.header_words import readings

_OF_REGISTERS = re.compile(
    r"(?:是否|有无)|(?:首次|最近|上次|最新|上年|本年|年度|市场主体|经营主体|企业|公司|单位|商户|主体)*"
    r"(?:登记|注册|核准|成立|设立|开业|创建|创办|出生|建[档成]|投产|入[驻园规统库]|加[入盟]|迁[入出]|搬迁|落户|注销"
    r"|吊销(?!许可)|停业(?!整顿)|歇业|营业|经营(?!异常)|运营|开放|变更(?![前后事内])|更新|修改|采集|录入|填[报表写]|上报|导[入出]"
    r"|同步|推送|数据|统计(?!违法)|主管|管辖|所属|属地|监管|税务机关|法定代表人|联系|授权|同意"
    r"|出资|实缴|认缴|投资|资产|纳税(?!缴费|信用|评)|缴税|税收(?!违法)|行业|产业|资质|上市|年检|发照|换照|执照|报送"
    r"|年(?:报|度报告)(?!.*(?:逾期|未|异常|违|罚|结果)))"
)
"""What a register says of its subjects, and of itself (own choice)."""
_ASPECT = re.compile(
    r"(?:日期?|时间|年度|原因|事由|案由|依据|事实|情形|结果|结论|金额|数额|税额|余额|机关|文书?号|决定书|案号"
    r"|级别|等级)$"
)
"""What is said of an act: its day, ground, outcome, amount, authority, document or level (own choice)."""
_ACT = re.compile(
    r"处罚|罚款|罚没|许可(?!证|经营)|列入|移出|判决|裁判|裁定|立案|案件|欠[税缴费薪]|拖欠|失信|违法|违约|投诉|举报|事故|隐患"
    r"|抽[查检]|检查|整改|表彰|获奖|奖[项励]|荣誉|冻结|查封|强制|评[价级定]|认定|纳税(?:缴费)?信用|贷款|授信|逾期"
    r"|承诺|公示|被?执行[人法标案依裁]|变更[前后事内]|违规|违章|责令|处理|处置|惩戒|约谈|通报|警示|曝光|停产|停业整顿"
    r"|吊销许可|不合格|滞纳|履行|[红黑]名单|名单[类名]|不良|守信|信用[分得记]|记录[编状类]|信息类别"
)
"""The acts themselves (own choice)."""


def speaks_of_act(header: str, forms: Iterable[Form]) -> bool:
    """Whether a header says something of an act, and nothing that a register says.

    >>> [speaks_of_act(header, ()) for header in ("移出日期", "许可名称", "登记机关", "许可证号", "联系电话")]
    [True, True, False, False, False]
    """
    word = readings(header)[-1][0]
    if _OF_REGISTERS.match(word):
        return False
    return bool(_ASPECT.search(word) or _ACT.search(word)) or any(_is_sign(form, header) for form in forms)


def _is_sign(form: Form, header: str) -> bool:
    field = field_named(form, header)
    return field is not None and any(field[0] in sign for sign in form.signs)


def refusal(acts: Sequence[str], forms: Iterable[Form], lacking: Sequence[str], file: str) -> NoTableError:
    """Why a file whose headers speak of acts is no list of subjects, and what would be right.

    :param acts: these headers.
    :param forms: those that the vocabulary has.
    :param lacking: the titles of what the file lacks to be one of records.
    """
    shown = "、".join(acts)
    near = [(form.title, _lacking(form, acts)) for form in _nearest(acts, forms, fold_word(file))]
    wanted = [f"{title.zh}表缺少:{'、'.join(fields)}" for title, fields in near]
    wanted.append(f"一般记录表缺少:{'、'.join(lacking)}")
    wanted_en = [f"the form {title.en} lacks {', '.join(fields)}" for title, fields in near]
    wanted_en.append(f"a plain table of records lacks {', '.join(lacking)}")
    return NoTableError(
        file,
        Title(
            f"表头说的是记录,不是主体:{shown};按主体导入会丢失这些内容",
            f"the headers speak of records, not of subjects: {shown}; as subjects they would be lost",
        ),
        Title(
            f"请补齐列,或用对照文件写明:{';'.join(wanted)};确为主体名册的,请按主体导入",
            f"the columns, or a mapping file: {'; '.join(wanted_en)};"
            " if it is a register after all: take it as one of subjects",
        ),
        "--table subject",
    )


def near_forms(headers: Sequence[str], forms: Iterable[Form], file: str) -> list[tuple[Title, list[str]]]:
    """The forms that know the most of some headers, one of them a header that no ordinary ledger has, and the
    fields that are lacking."""
    near = _nearest(headers, forms, fold_word(file))
    return [(form.title, _lacking(form, headers)) for form in near if form.sure & _shown(form, headers)]


def _nearest(acts: Sequence[str], forms: Iterable[Form], file: str) -> list[Form]:
    """The forms whose fields are most of the headers; of several those by whose name the file goes."""
    known = {form.id: sum(field_named(form, header) is not None for header in acts) for form in forms}
    most = max(known.values(), default=0)
    near = [form for form in forms if most and known[form.id] == most]
    return [form for form in near if any(fold_word(word) in file for word in form.called)] or near


def _lacking(form: Form, acts: Sequence[str]) -> list[str]:
    """The signs of a form that none of the headers is; of several that would do the first field."""
    shown, order = _shown(form, acts), list(form.fields)
    return [min(sign, key=order.index) for sign in form.signs if not sign & shown]


def _shown(form: Form, headers: Iterable[str]) -> set[str]:
    """The fields of a form that headers name."""
    return {field[0] for field in (field_named(form, header) for header in headers) if field is not None}
