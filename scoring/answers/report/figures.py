"""The figures of the district's report: what each one counts, and the query that counts it.

Every query reads the tables ``subjects`` and ``records`` of its vocabulary as they were known, and knows one
parameter, ``$as_of``. It gives one row: the value, or for a share the part and the whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from rules.model import Title


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of the report.

    :param id: its section and its name there.
    :param vocabulary: whose subjects and records are counted.
    :param unit: one of :data:`UNITS`; for ``percent`` the query gives part and whole.
    :param counts: the definition, in words.
    """

    id: str
    vocabulary: str
    unit: str
    title: Title
    counts: Title
    sql: str

    @property
    def section(self) -> str:
        """One of :data:`SECTIONS`."""
        return self.id.partition(".")[0]


SECTIONS = {
    "credit": Title("信用信息", "Credit information"),
    "platform": Title("融资信用服务平台", "Lending platform"),
    "permits": Title("许可事项", "Permit items"),
    "problems": Title("问题与诉求", "Problems and demands"),
    "supervision": Title("监督问责", "Supervision"),
    "projects": Title("重点项目", "Projects"),
    "finance": Title("融资支持", "Finance"),
    "reform": Title("改革事项", "Reform"),
}
UNITS = {
    "records": Title("条", "records"),
    "items": Title("项", "items"),
    "fields": Title("个", "fields"),
    "departments": Title("个", "departments"),
    "projects": Title("个", "projects"),
    "problems": Title("个", "problems"),
    "enterprises": Title("家", "enterprises"),
    "loans": Title("笔", "loans"),
    "cases": Title("起", "cases"),
    "persons": Title("人", "persons"),
    "sessions": Title("场", "sessions"),
    "yuan": Title("元", "yuan"),
    "percent": Title("%", "per cent"),
}

_DATED = "occurred_on <= $as_of"
_CLOSED = "status = 'closed' and coalesce(closed_on, occurred_on) <= $as_of"
_LOAN = "kind = 'loan' and level = 'granted'"
_FINDING = "kind = 'negative_finding' and status is distinct from 'revoked'"
_THRICE = f"""
    select field from records
    where kind = 'penalty' and status = 'effective' and field <> 'general'
      and {_DATED} and occurred_on > $as_of - interval 24 month
    group by subject_id, field having count(*) >= 3"""


def _figure(
    id_: str, unit: str, title: Title, counts: Title, select: str, where: str, *, vocabulary: str
) -> Figure:
    """A figure over the records that are dated up to the day."""
    return Figure(
        id_, vocabulary, unit, title, counts, f"select {select} from records where {where} and {_DATED}"
    )


_enterprise = partial(_figure, vocabulary="enterprise")
_department = partial(_figure, vocabulary="department")


def _tickets(id_: str, kind: str, title: Title) -> tuple[Figure, ...]:
    """How many tickets of one kind there are, how many are closed and how many under way."""
    of_kind = f"kind = '{kind}'"
    return (
        _department(
            id_,
            "problems",
            title,
            Title("截至日前登记的全部记录", "all records dated up to the day"),
            "count(*)",
            of_kind,
        ),
        _department(
            f"{id_}-closed",
            "problems",
            Title(f"{title.zh}：已办结", f"{title.en}: closed"),
            Title("状态为已办结，且办结日期不晚于截至日", "status closed, on or before the day"),
            "count(*)",
            f"{of_kind} and {_CLOSED}",
        ),
        _department(
            f"{id_}-under-way",
            "problems",
            Title(f"{title.zh}：办理中", f"{title.en}: under way"),
            Title("全部记录减去已办结的", "all records less the closed ones"),
            "count(*)",
            f"{of_kind} and ({_CLOSED}) is not true",
        ),
    )


def _projects(id_: str, level: str, title: Title) -> tuple[Figure, ...]:
    """Number, investment and completion of the projects of one level in the year of the day."""
    months = f"kind = 'project_month' and level = '{level}' and year(occurred_on) = year($as_of)"
    return (
        _department(
            id_,
            "projects",
            title,
            Title("有本年月度进度的不同项目", "different projects with a month of this year"),
            "count(distinct item)",
            months,
        ),
        _department(
            f"{id_}-invested",
            "yuan",
            Title(f"{title.zh}：完成投资", f"{title.en}: invested"),
            Title("本年各月完成金额之和", "sum of the amounts of this year's months"),
            "sum(amount)",
            months,
        ),
        _department(
            f"{id_}-completion",
            "percent",
            Title(f"{title.zh}：完成月度计划任务", f"{title.en}: share of the monthly plans"),
            Title("本年各月完成金额之和÷计划金额之和", "amounts ÷ planned amounts of this year's months"),
            "sum(amount), sum(planned_amount)",
            months,
        ),
    )


FIGURES: tuple[Figure, ...] = (
    _enterprise(
        "credit.records",
        "records",
        Title("归集信用信息", "Credit records gathered"),
        Title("企业信用记录，检查需求除外", "records of enterprises but for requests to check them"),
        "count(*)",
        "kind is distinct from 'check_request'",
    ),
    _enterprise(
        "credit.commitments",
        "records",
        Title("信用承诺", "Credit commitments"),
        Title("类别为信用承诺的记录，含履行中的", "records of the kind commitment, open ones too"),
        "count(*)",
        "kind = 'commitment'",
    ),
    Figure(
        "credit.key-fields",
        "enterprise",
        "fields",
        Title("多次违法的重点领域", "Key fields with repeat offenders"),
        Title(
            "24个月内有企业受到3次以上有效处罚的领域，“其他领域”除外",
            "fields, but for the other, in which an enterprise has 3 effective penalties in 24 months",
        ),
        f"select count(distinct field) from ({_THRICE})",
    ),
    Figure(
        "platform.enterprises",
        "enterprise",
        "enterprises",
        Title("平台实名注册企业", "Enterprises registered on the platform"),
        Title("实名注册日期不晚于截至日的企业", "enterprises that joined on or before the day"),
        "select count(*) from subjects where platform_joined_on <= $as_of",
    ),
    _enterprise(
        "platform.loans",
        "loans",
        Title("授信通过融资订单", "Loans granted"),
        Title("结果为授信通过的融资记录", "loan records with the outcome granted"),
        "count(*)",
        _LOAN,
    ),
    _enterprise(
        "platform.lent",
        "yuan",
        Title("授信金额", "Amount granted"),
        Title("授信通过的融资记录金额之和", "sum of the amounts of the loans granted"),
        "sum(amount)",
        _LOAN,
    ),
    _department(
        "permits.departments",
        "departments",
        Title("有许可事项的部门", "Departments with permit items"),
        Title("有许可事项的不同单位", "different bodies with at least one permit item"),
        "count(distinct subject_id)",
        "kind = 'permit_item'",
    ),
    _department(
        "permits.items",
        "items",
        Title("许可事项", "Permit items"),
        Title("按事项编码计的许可事项", "permit items, by the item's number"),
        "count(distinct item)",
        "kind = 'permit_item'",
    ),
    *_tickets("problems.all", "problem", Title("营商环境问题", "Problems of the business environment")),
    *_tickets("problems.demands", "demand", Title("餐叙恳谈企业诉求", "Enterprise demands")),
    *_tickets(
        "problems.specialist",
        "specialist_problem",
        Title("服务专员收集问题", "Problems collected by specialists"),
    ),
    _department(
        "supervision.cases",
        "cases",
        Title("查处损害营商环境案件", "Cases of harm to the business environment"),
        Title("负面清单认定，已撤销的除外", "negative-list findings but for the revoked"),
        "count(*)",
        _FINDING,
    ),
    _department(
        "supervision.persons",
        "persons",
        Title("查处人数", "Persons involved"),
        Title("上述认定的涉及人数之和", "sum of the persons involved in those findings"),
        "sum(persons)",
        _FINDING,
    ),
    _department(
        "supervision.disciplined",
        "persons",
        Title("党纪政务处分人数", "Persons disciplined"),
        Title("上述认定的处分人数之和", "sum of the persons disciplined after those findings"),
        "sum(sanctioned)",
        _FINDING,
    ),
    *_projects("projects.municipal", "municipal", Title("市级重点项目", "Municipal projects")),
    *_projects("projects.district", "district", Title("区级重点项目", "District projects")),
    _department(
        "projects.key",
        "projects",
        Title("首批重点项目", "First key projects"),
        Title("标为首批重点项目的不同项目", "different projects marked as of the first key projects"),
        "count(distinct item)",
        "kind = 'project' and key_project",
    ),
    _department(
        "finance.sessions",
        "sessions",
        Title("政银企对接", "Bank-enterprise sessions"),
        Title("类别为政银企对接的记录", "records of the kind bank-enterprise session"),
        "count(*)",
        "kind = 'bank_session'",
    ),
    _department(
        "finance.supported",
        "yuan",
        Title("政银企对接贷款支持", "Loans supported by the sessions"),
        Title("对接记录的金额之和", "sum of the amounts of the sessions"),
        "sum(amount)",
        "kind = 'bank_session'",
    ),
    _department(
        "finance.green",
        "projects",
        Title("绿色项目", "Green projects"),
        Title("类别为绿色项目融资的不同项目", "different projects of the kind green project"),
        "count(distinct item)",
        "kind = 'green_project'",
    ),
    _department(
        "finance.green-sought",
        "yuan",
        Title("绿色项目融资需求", "Finance sought by green projects"),
        Title("绿色项目的计划金额之和", "sum of the planned amounts of the green projects"),
        "sum(planned_amount)",
        "kind = 'green_project'",
    ),
    _department(
        "finance.green-lent",
        "yuan",
        Title("绿色项目放款", "Lent to green projects"),
        Title("绿色项目的完成金额之和", "sum of the amounts of the green projects"),
        "sum(amount)",
        "kind = 'green_project'",
    ),
    _department(
        "reform.items",
        "items",
        Title("承接落实改革举措", "Reform items taken on"),
        Title("台账中的不同事项，含以前年度", "different items of the ledger, of earlier years too"),
        "count(distinct item)",
        "kind = 'reform_item'",
    ),
)
