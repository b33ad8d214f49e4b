"""What is wrong with a pack, said in Chinese.

Faults are found, and told to programs, in English (:class:`rules.fault.Fault`). Here stands each message
and each hint made of words, with its Chinese; hints that are examples of the language stay as they are.
"""

from __future__ import annotations

import re
from functools import cache

_TYPES = {
    "text": "文本", "number": "数字", "date": "日期", "boolean": "是否值", "integer": "整数",
    "decimal": "小数", "declared": "已声明的",
}  # fmt: skip

_SAID = {
    # YAML
    "larger than 8 MiB": "文件大于8 MiB",
    "split it into several packs": "拆成几个评价规则",
    "not YAML: {}": "不是YAML格式",
    "see the line named": "查看所指的行",
    "quotes around a text that begins so, as in \">= 90\"; spaces, not tabs": (
        "以此开头的文本须加引号,如\">= 90\";缩进用空格,不用制表符"
    ),
    "quotes around a text with a colon and a space in it": "文本中有冒号加空格的,须加引号",
    "a comma after each entry; quotes around a text with a comma, colon or bracket": (
        "每项之间用逗号;含逗号、冒号或括号的文本须加引号"
    ),
    "a number, a comparison or a range: {}": "数字、比较或范围:{0}",
    "the same spaces before each key, and quotes around a whole text or none": (
        "各键前的空格须一致;引号须括住整段文本,或不加"
    ),
    "a colon and a space after each key": "每个键后须有冒号和空格",
    "the quote or bracket that is missing": "补上缺少的引号或括号",
    "a list on lines of its own, below its key": "列表另起一行,写在键的下面",
    "a comma ends a text that is not in quotes": "未加引号的文本在逗号处被截断",
    "{}, in quotes": "{0},整段加引号",
    "in quotes it is a text": "加了引号就成了文本",
    "{}, without quotes": "{0},不加引号",
    "UTF-8 text": "UTF-8编码的文本",
    "not UTF-8 at byte {}": "第{0}个字节起不是UTF-8编码",
    "save it as UTF-8": "另存为UTF-8编码",
    "more than one document": "含有不止一个文档",
    "one pack a file": "一个文件只放一个评价规则",
    "aliases are not allowed": "不允许使用别名",
    "anchors are not allowed": "不允许使用锚点",
    "write the value out": "把值完整写出",
    "more than {} values": "多于{0}个值",
    "tags are not allowed": "不允许使用标签",
    "plain values": "普通的值",
    "a control character": "含有控制字符",
    "plain text": "普通文本",
    "nested deeper than {} levels": "嵌套超过{0}层",
    "a flatter form": "减少嵌套",
    "a key that is a list or a mapping": "键是列表或映射",
    "a word or a date": "一个词或日期",
    "the key stands here twice": "此键在这里出现两次",
    "one of the two": "两者留一",
    "not a mapping of lines": "不是逐行书写的映射",
    "pack: …, one key a line": "pack: …,每行一个键",
    "can't be laid out without loss": "无法在不丢失内容的情况下排版",
    "comments on lines of their own, above an entry": "注释单独成行,写在条目上方",
    "can't be written here": "无法写在这里",
    "a comment stands inside of it": "其中有注释",
    "change it in the whole text": "请在全文中修改",
    # whose grade it is, and by which law
    "repealed before it is in force": "废止早于施行",
    "repealed_on after in_force_from": "repealed_on须晚于in_force_from",
    "replaced and not repealed": "写明已被替代却未写明废止",
    "repealed_on: {}-04-01, or no replaced_by": "写上repealed_on: {0}-04-01,或去掉replaced_by",
    "no such rule": "没有这条规则",
    "no other basis of the pack": "不是本评价规则中的另一依据",
    "an entry of its own": "为它另写一项依据",
    "neither months nor until": "months和until都没有写",
    "months: 12, or until: a date column": "months: 12,或until: 一个日期列",
    "{} is none of the column's values": "{0}不是该列的取值",
    # the shape
    "no such key": "没有这个键",
    "this key is missing": "缺少这个键",
    "add it": "补上",
    "add it, such as {}": "补上,例如{0}",
    "no value": "没有值",
    "a value, or no key at all": "写上值,或去掉这个键",
    "not a list": "不是列表",
    "[…], or lines that begin with '-'": "[…],或以“-”开头的各行",
    "not a mapping": "不是键和值的映射",
    "keys: {}": "键:{0}",
    "keys and values": "键和值",
    "not a text": "不是文本",
    "a text": "文本",
    "an empty list": "列表为空",
    "at least one entry": "至少写一项",
    "{}? or another of {}": "是否指{0}?其余可用:{1}",
    "one of {}": "{0}之一",
    "not one of the words allowed": "不在允许的词之中",
    "not an id": "不是编号的写法",
    "letters, digits, '.', '-', '_', a letter first, at most 80": (
        "以字母开头,由字母、数字和.-_组成,不超过80个字符"
    ),
    "not a name for conditions": "不是条件中可用的名称",
    "small letters, digits, '_', a letter first": "以字母开头,由小写字母、数字和_组成",
    "a word of SQL's own": "是SQL的保留词",
    "another name, such as {}": "换一个名称,例如{0}",
    "a text is needed here": "这里须填文本",
    "a text, in quotes if it looks like a number or a date": "文本;看起来像数字或日期时加引号",
    "not a date": "不是日期",
    "'{}' is not a date": "“{0}”不是日期",
    "a date such as {}": "日期,例如{0}",
    "values by date: {}": "按日期写值:{0}",
    "no value at all": "一个值也没有",
    "neither true nor false": "既不是true也不是false",
    "true or false": "true或false",
    "not a whole number in range": "不是范围内的整数",
    "a whole number from {} to {}": "{0}至{1}的整数",
    "not a number": "不是数字",
    "not a number of points": "不是分数",
    "a number such as {} or {}": "数字,例如{0}或{1}",
    "more than two decimals": "小数多于两位",
    "points in hundredths at the finest": "分数最多两位小数",
    "out of range": "超出范围",
    "at most {} points": "不超过{0}分",
    "not the form of a code": "不是代码的样式",
    "18 digits, capital letters and ?: {}": "18位数字、大写字母和?:{0}",
    "not a share": "不是0至1的比例",
    "a number from 0 to 1, such as {}": "0至1的数字,例如{0}",
    "not a title": "不是标题的写法",
    "{zh: 中文, en: English}, or one text": "{{zh: 中文, en: English}},或一段文本",
    "not a basis": "不是依据的写法",
    "{}, or the id of a basis and an article: {}": "{0},或依据的编号加条款:{1}",
    "start is not between min and max": "start不在min与max之间",
    "ends before it begins": "结束早于开始",
    "until after from": "until晚于from",
    "a dimension without a hit gives 0: a floor above that would never be met": (
        "没有规则适用的维度得0分,高于0的下限永远达不到"
    ),
    "a floor of 0 or less, such as -60; points that everybody has: score.start": (
        "0或更低的下限,例如-60;人人都有的分数写在score.start"
    ),
    "a dimension without a hit gives 0: a ceiling below that would never be kept": (
        "没有规则适用的维度得0分,低于0的上限永远守不住"
    ),
    "a ceiling of 0 or more, such as 8; points that everybody loses: score.start": (
        "0或更高的上限,例如8;人人都扣的分数写在score.start"
    ),
    "not a decay": "不是衰减的写法",
    "linear, or steps in order: {}": "linear,或按顺序写各步:{0}",
    "both months and days": "同时写了months和days",
    "a decay without its length": "衰减没有写明长度",
    "a decay step after the window's end": "衰减的一步在有效期结束之后",
    "after: less than {}": "after小于{0}",
    "not a pattern of 2 to 10 records": "不是2至10条记录的组合",
    "two events, or one with times: 3": "两个事件,或一个事件加times: 3",
    "not a row": "不是一行的写法",
    "[cell, points], or {when: [cells], points: 4, title: …}": (
        "[单元格, 分数],或{{when: [单元格], points: 4, title: …}}"
    ),
    "neither or both of input and inputs": "input和inputs须写且只写一个",
    "input: level, or inputs: [level, size]": "input: level,或inputs: [level, size]",
    "not countable": "不能这样计数",
    "not exactly one aggregate": "汇总方式须写且只写一个",
    "not two": "不是两个",
    "[part, whole]": "[部分, 整体]",
    "by and take go together": "by和take须同时写",
    "a cap on each group without groups": "没有分组,不能写每组的限值",
    "bands without subjects in groups": "主体没有分组,不能写分档",
    "bands that do not rise": "分档没有从小到大排列",
    "each above the one before: {}": "每个数都大于前一个:{0}",
    "fewest without a percentile": "fewest只用于百分位",
    "no group's value can be held at it": "各组的值不能以此为限",
    "a number of at most {} decimals, the most of each group, such as 30": (
        "小数不超过{0}位的数字,即每组的限值,如30"
    ),
    "a measure does not decay": "指标没有衰减",
    "decay in a rule's counts": "把decay写在规则的counts中",
    "the least is above the most": "最小值大于最大值",
    "the earliest day is after the latest": "最早的日期晚于最晚的日期",
    "values and format belong to a text": "values和format只用于文本",
    "lawful and fillers are exceptions to a format": "lawful和fillers是对format的例外",
    "least and most belong to a number": "least和most只用于数字",
    "type: integer or decimal": "type: integer或decimal",
    "not_before, days_ahead, earliest, latest and also belong to a date": (
        "not_before、days_ahead、earliest、latest和also只用于日期"
    ),
    # names and references
    "no vocabulary is called {}; there are {}": "没有名为{0}的词汇表;可用:{1}",
    "one of these, or one in place": "其中之一,或就地写一个词汇表",
    "no such dimension": "没有这个维度",
    "no such tier": "没有这个等级",
    "the pack has no such basis": "评价规则没有这个依据",
    "none is declared": "尚未声明任何一个",
    "the id stands here twice": "此编号出现两次",
    "an id of its own": "换一个不重复的编号",
    "not below the grade before it": "没有低于前一个等级",
    "less than {}: the best first": "低于{0};最好的等级在前",
    "scores below it have no grade": "低于它的分数没有等级",
    "scores reach {} tiers: nobody can fall so far": "得分能达到的等级共{0}个,不能降这么多级",
    "lowers: {}, which is the worst": "lowers: {0},即降至最低等级",
    "a dimension is called so too": "有维度也用此编号",
    "another id of the dimension": "维度另用编号",
    "neither the score nor a dimension": "既不是得分也不是维度",
    "never below that": "不可能低于此值",
    "always below that": "总是低于此值",
    "more than {}": "大于{0}",
    "at most {}": "不大于{0}",
    "neither or both of tier and lowers": "tier和lowers须写其中一个",
    "tier: D, or lowers: 1": "tier: D,或lowers: 1",
    "the tier stands here twice": "此等级出现两次",
    "each tier once": "每个等级一次",
    "tier {} is missing": "缺少等级{0}",
    "an entry for every tier": "每个等级写一项",
    "nothing declares the name {}": "没有声明过名称{0}",
    "{}?": "是否指{0}?",
    "more than {} rules": "多于{0}条规则",
    "already a column's name": "已是列名",
    "a name of its own": "换一个不重复的名称",
    "the measures are made of one another": "指标互为依据",
    "measures without a circle": "指标之间不能循环",
    "the tables are made of one another": "表互为依据",
    "tables without a circle": "表之间不能循环",
    "already a measure's name": "已是指标的名称",
    # vocabularies
    "not a key": "不能作主键",
    "a text or integer column's name": "文本或整数列的名称",
    "not a <type> column": "不是{0}列",
    "not another date": "不是另一个日期列",
    "not a column with a list of codes": "不是有代码表的列",
    "not a code of {}": "不是{0}的代码",
    "not a column fit for this": "这一列不适合此用途",
    "the name of a <type> column": "{0}列的名称",
    "also an attribute of the subject": "与主体的属性同名",
    "a limit is for the same records on every day": "限期所指的记录不能随评价基准日变化",
    "a condition on columns alone": "只使用列的条件",
    "not of the type of the subject's key": "类型与主体的主键不同",
    "a <type> column": "{0}列",
    # rules, windows, tables
    "per and decay exclude each other": "per和decay不能同时写",
    "a cap of 0 takes all points away": "cap为0会去掉全部分数",
    "the most that the points may come to, such as -16; no points at all: no rule": (
        "分数合计的上限,例如-16;完全不计分就去掉这条规则"
    ),
    "nobody can fall below the baseline": "没有人会低于该应得分值",
    "the points that are expected, such as the most that can be had": "应得的分值,例如可得的最高分",
    "the cap can never hold: its sign is not that of the points": "cap永远不起作用:正负号与分数不同",
    "not a number to multiply points by": "不是可与分数相乘的数字",
    "a number of at most {} digits after the point: a column or measure": (
        "小数不超过{0}位的数字:一列或一个指标"
    ),
    "a window of a subject needs its 'from'": "针对主体的有效期须写明from",
    "from: a date attribute": "from: 一个日期属性",
    "not a date of the record or subject": "不是记录或主体的日期",
    "a date column, such as {}": "日期列,例如{0}",
    "a decay over too long a time": "衰减的时间过长",
    "at most {} months": "不超过{0}个月",
    "more than {} rows": "多于{0}行",
    "several tables": "拆成几个表",
    "rows {} and {} can match together": "第{0}行和第{1}行可能同时匹配",
    "{} can match together": "{0}可能同时匹配",
    "{} can match together and give another result": "{0}可能同时匹配,结果却不同",
    "hit: first, or rows apart": "hit: first,或使各行互不重叠",
    "rows {} and {} can match together and give another result": (
        "第{0}行和第{1}行可能同时匹配而结果不同"
    ),
    "one result, or rows apart": "结果相同,或使各行互不重叠",
    "points by date are in no order": "按日期变化的分值无法排序",
    "take: sum, or points of one day alone": "take: sum,或只写一个分值",
    "only of the rows that are collected something is taken": "只有hit: collect才能写take",
    "this can't be collected": "这种结果不能汇总",
    "gives: number, or hit: priority": "gives: number,或hit: priority",
    "priority is of texts, in the order of gives": "priority只用于文本结果,以gives的次序为准",
    "the count of no row is 0": "没有匹配的行时计数为0",
    "no default": "不写default",
    "a table that gives no points has none of these": "不给分值的表没有此键",
    "not what a table gives": "不是表可以给出的结果",
    "points, number, or texts: {}": "points、number,或文本:{0}",
    "a row that gives no points has cells and a result alone": "不给分值的行只有单元格和结果",
    "as_of in a table that gives a value": "给出值的表中有as_of",
    "not a number that a table can give": "不是表可以给出的数字",
    "a number of at most 14 digits before the point and 4 after it": "小数点前最多14位、后最多4位的数字",
    "not one of the texts that the table gives": "不是表所列的文本",
    "a value is expected of a table that gives one, and of nothing else": (
        "给出值的表须写value,其他处不写value"
    ),
    "value: what the table gives, or null": "value:表给出的值,或null",
    "points, hit, score or tier": "points、hit、score或tier",
    "as_of can't be an input": "as_of不能作输入",
    "a column or measure": "一列或一个指标",
    "not a cell for each input": "单元格与输入不是一一对应",
    "{} cells, then the points": "{0}个单元格,然后是分数",
    "not a condition on a record as it arrives": "不是记录到达时可判断的条件",
    "not a condition on a record": "不是关于一条记录的条件",
    "columns of the record, and attributes": "记录的列和主体的属性",
    "not a column of a record": "不是记录的列",
    "a record's column": "记录的列",
    "not a date of the record": "不是记录的日期",
    "what a record is, and whose, no remedy changes": "记录是什么、属于谁,修复不能改变",
    "nothing is expected": "没有写明期望的结果",
    "points: -4, hit: false or tier: D": "points: -4、hit: false或tier: D",
    "score: 80 or tier: B": "score: 80或tier: B",
    "no such column": "没有这一列",
    "one of none: there are no records": "没有可用的列:没有记录",
    "not a value of {}": "不是{0}的值",
    "a value of type <type>": "{0}类型的值",
    # measures
    "made of measures, not of records": "由指标而不是由记录算出",
    "no within and no take": "不写within和take",
    "the vocabulary has no records to measure": "词汇表没有记录可供统计",
    "attributes alone": "只用属性",
    "{} of <type> values": "不能对{1}取{0}",
    "a number, or take: count": "数字,或take: count",
    "not a column": "不是列",
    "the name of a record's column": "记录的列的名称",
    "no exact {} of this": "对此不能算出准确的{0}",
    "no {} of this": "对此不能算{0}",
    "a number, or for min and max also a date": "数字;min和max也可用日期",
    "a number of at most {} digits before the point and 4 after it: {}": (
        "整数不超过{0}位、小数不超过4位的数字:{1}"
    ),
    "not a measure that a ratio can use": "不是比率可用的指标",
    "a number measure of at most {} digits before the point and 4 after it; of others a value: {}": (
        "整数不超过{0}位、小数不超过4位的数字指标;其他的用value:{1}"
    ),
    "groups that change with as_of": "随as_of变化的分组",
    "a record's column, or what is computed of one: {}": "记录的列,或由列算出的值:{0}",
    "groups of which none follows another": "各组之间没有先后相连",
    "months or years: {}, {}": "按月或按年:{0}、{1}",
    "neither an attribute nor a measure": "既不是属性,也不是指标",
    "an attribute, or a measure of the pack": "主体的属性,或评价规则的指标",
    "no bound of a band": "不能作为分档的界限",
    "bounds that the number by which subjects are grouped can have": "据以分组的数字可以取的值",
    "not a measure that can be ranked": "不是可排名的指标",
    "a number measure of the pack": "评价规则的数字指标",
    "not a value that a measure can have": "不是指标可取的值",
    "a number computed from attributes and measures": "由属性和指标算出的数字",
    "as_of in a measure made of measures": "由指标算出的指标中不能用as_of",
    "a condition on attributes and measures": "关于属性和指标的条件",
    # conditions
    "this can't be read as a condition": "无法读作条件",
    "SQL such as: {}": "SQL,例如:{0}",
    "this is a <type>, not a condition": "这是{0},不是条件",
    "a comparison such as {}": "比较,例如{0}",
    "longer than {} characters": "超过{0}个字符",
    "split it into several rules, or use a table": "拆成几条规则,或用表",
    "nested too deeply": "嵌套过深",
    "at most {} levels": "不超过{0}层",
    "a ';' in a condition": "条件中有“;”",
    "one condition, without it": "只写一个条件,去掉它",
    "a comment in a condition": "条件中有注释",
    "the rule's note, or a line of YAML's own: # …": "写在规则的note中,或用YAML自己的注释行:# …",
    "{} is none of SQL's signs": "{0}不是SQL的符号",
    "write {}": "写作{0}",
    "a <type> where a condition is needed": "这里须写条件,却是{0}",
    "compare it with something": "与某个值比较",
    "'{}' on <type> values": "“{0}”不能用于{1}",
    "= or <>, or in (…) for several values": "用=或<>;多个值用in (…)",
    "{} never has the value '{}'": "{0}不会取值“{1}”",
    "'between symmetric' is not in the language": "语言中没有“between symmetric”",
    "'in' takes a list of values": "in后面须是一列值",
    "'in' takes values only": "in后面只能是值",
    "'is' goes with null alone": "is后面只能是null",
    "x is null, or x is not null": "x is null,或x is not null",
    "'like' matches a text with a pattern": "like用于文本与样式的匹配",
    "a backslash in a pattern": "样式中有反斜杠",
    "% for any text, _ for one character": "%代表任意文本,_代表一个字符",
    "'{}' on a <type>": "“{0}”不能用于{1}",
    "numbers; a date moves by an interval: {}": "用于数字;日期用interval移动:{0}",
    "an interval moves a date only": "interval只能移动日期",
    "an interval this language lacks": "语言中没有这种interval",
    "interval 3 month; also day, week, year": "interval 3 month;也可用day、week、year",
    "an interval of more than 1,000 years": "interval超过1000年",
    "a shorter one": "写短一些",
    "a date moved more than once": "日期移动了不止一次",
    "one interval; or months or years, then days or weeks": "只写一个interval;或先月、年,再日、周",
    "abs of a <type>": "abs不能用于{0}",
    "abs of a number": "abs用于数字",
    "numbers or dates": "数字或日期",
    "{} takes one date": "{0}须有一个日期",
    "a dotted name": "名称中有点号",
    "the plain name: {}": "只写名称:{0}",
    "null compares with nothing": "null不能与任何值比较",
    "round needs its digits, 0 to {}": "round须写明小数位数,0至{0}",
    "round of a <type>": "round不能用于{0}",
    "round of numbers": "round用于数字",
    "a number rounded more than once": "数字取整了不止一次",
    "a quotient that does not say how it is rounded": "除法没有写明如何取整",
    "date_diff is not in the language": "语言中没有date_diff",
    "the later date less the earlier one: {}": "后一日期减前一日期:{0}",
    "the days up to as_of change every day": "到as_of的天数每天都变",
    "a date moved by days: {}": "将日期移动若干天:{0}",
    "'{}' is not in the language": "语言中没有“{0}”",
    "= <> {}": "可用:= <> {0}",
    "x between low and high": "x between 下限 and 上限",
    "a plainer form": "换一种简单的写法",
    "this is not a number": "这不是数字",
    "digits with at most one point": "数字,最多一个小数点",
    "a number in scientific form": "科学计数法的数字",
    "plain digits": "普通数字",
    "a number of more than 38 digits": "数字超过38位",
    "a date as in date '2026-01-31'": "日期写作date '2026-01-31'",
    "a <type> beside a <type>": "{0}与{1}不能放在一起",
    "two values of the type <type>": "两个都是{0}",
    "a result of up to {} digits, more than {}, would not be exact": "结果可达{0}位,超过{1}位就不准确",
    "fewer or smaller factors, or a product that is rounded: {}": "减少或缩小因数,或先将乘积取整:{0}",
    "as_of must stand alone on one side of a comparison that is a term of the top-level 'and'": (
        "as_of须单独写在比较的一边,且该比较是最外层and的一项"
    ),
    # cells of tables
    "not a cell": "不是单元格的写法",
    'A, [A, B], {not: A}, ">= 90", "70..90", "[70..90]", null or "-"': (
        'A、[A, B]、{{not: A}}、">= 90"、"70..90"、"[70..90]"、null或"-"'
    ),
    "{not: A}, {not: [A, B]} or {not: null}": "{{not: A}}、{{not: [A, B]}}或{{not: null}}",
    "an empty range": "范围为空",
    '"70..90" with the smaller end first': "\"70..90\",小的一端在前",
    "a range in brackets without quotes": "带方括号的范围没有加引号",
    "half a range": "范围缺一边的括号",
    "{} in quotes: both ends are in; {}: from {} to below {}": "{0},加引号,含两端;{1}:自{2}起,不到{3}",
    "'-' in a list": "列表中有“-”",
    "{}, alone in its cell": "{0},单独写在一格",
    "as_of in a cell": "单元格中有as_of",
    "not a comparison": "不是比较",
    '">= 90", "< 2026-01-01", "> 1 and < 5" or "<= a_column"': (
        '">= 90"、"< 2026-01-01"、"> 1 and < 5"或"<= 某栏目名"'
    ),
    "'<>' in a cell": "单元格中有“<>”",
    "{} beside a text": "{0}与文本不能放在一起",
    "in quotes: {}": "加引号:{0}",
    # what lint finds
    "its window ends where it starts": "有效期的起止为同一日",
    "its condition asks for a day after its window's end": "条件要求的日期在有效期结束之后",
    "its points can't change the tier: whenever it hits, the veto {} forces tier {}": (
        "其分值不会改变等级:凡其适用,{0}均将等级定为{1}"
    ),
    "its rules times its examples are {}, more than are tried while somebody waits": (
        "规则数乘以示例数为{0},多于在等待中试算的数目"
    ),
    "fewer examples: at most {} in all": "减少示例:合计不超过{0}",
    "more than {} are like this one: the others are not looked for": "与此相同的问题多于{0}处:其余未再查找",
    "more than {} rules: not searched for rules that imply each other": "规则多于{0}条:未查找互相包含的规则",
    "whenever it hits, {} hits too: their points add up": "凡其适用,{0}也适用:两者分值相加",
    "can never hit: its terms exclude each other": "永不适用:各条件互相排斥",
    "no record can take part: the terms exclude each other": "没有记录可以计入:各条件互相排斥",
    "never decides: whenever it holds, the veto {} lowers by {}": (
        "不起决定作用:凡其成立,{0}均降{1}级"
    ),
    "never decides: whenever it holds, the veto {} forces tier {}": (
        "不起决定作用:凡其成立,{0}均将等级定为{1}"
    ),
    "does nothing: a veto only lowers, and {} is the best tier": (
        "不起作用:等级限制只会降低等级,而{0}是最好的等级"
    ),
    "can never hit: {}": "永不适用:{0}",
    "this term always holds: {}": "此条件恒成立:{0}",
    "this part of it can never hold: {}": "其中此部分永不成立:{0}",
    "like '{}' has no wildcard: = says the same, % stands for any text": (
        "like '{0}'中没有通配符:写=即可,%代表任意文本"
    ),
    "has the same condition and window as {}": "条件和有效期与{0}相同",
    "one record can count for it and for {}: say why in together, or let one give way": (
        "同一记录可同时计入本规则和{0}:在together中说明理由,或由其一让位"
    ),
    "no tier has a consequence: the pack has no supervision": "各等级均无监管措施:没有写supervision",
    "no score reaches {}: the highest possible is {}": "没有得分能达到{0}:最高可能为{1}",
    "no score reaches it, and no veto gives it": "没有得分能达到,也没有一票否决给出",
    "no score is below {}: the lowest possible is {}": "没有得分低于{0}:最低可能为{1}",
    "{} is milder than for the better tier {}": "{0}比更好的等级{1}还宽",
    "does not say who makes the grade: what the law asks of it is not checked": (
        "没有写明评价主体:未核对法律对其的要求"
    ),
    "counts records that may not be counted; {}": "计入了不得计入的记录;{0}",
    "can count records for longer than {} months; {}": "计入记录可超过{0}个月;{1}",
    "goes on counting when {} has come; {}": "{0}届至后仍继续计入;{1}",
    "{} is the name of a national evaluation: a district's grade is not one": (
        "{0}是全国性评价的名称:区县的评价不得使用"
    ),
    "cites {}, which is repealed from {} on, replaced by {}": "引用的{0}自{1}起废止,由{2}替代",
    "cites {}, which is repealed from {} on": "引用的{0}自{1}起废止",
    "cites {}, which is law from {} on": "引用的{0}自{1}起施行",
    "cited without an article: {}": "引用时没有写明条款:{0}",
    "{} of {} rules rest on {} alone": "{1}条规则中有{0}条仅以{2}为依据",
    "has the same title as {}: {}": "名称与{0}相同:{1}",
    "has no English title: {}": "没有英文名称:{0}",
    "every example of it hits: one that does not hit shows where it ends": (
        "各示例均适用:应有不适用的示例以示界限"
    ),
    "an example speaks of {}, when the pack is not in force": "示例所写{0}不在评价规则施行期内",
    "an example expects a hit on {}, when the rule is not in force": "示例所写{0}不在规则施行期内,却要求适用",
    "no rule gives it points": "没有规则给它分值",
    "has no example": "没有示例",
    "no rule cites it": "没有规则引用它",
    "no rule reads it": "没有规则使用它",
    "a cap of {} can't bind points of the other sign": "限值{0}不能限制正负相反的分值",
    "one hit of {} is already beyond the cap of {}": "一次适用的{0}已超过限值{1}",
    "the cap never binds: the rule hits a subject once at most": "限值不起作用:该规则对一个主体至多适用一次",
    "one hit of {} is beyond the {} of {}": "一次适用的{0}超过{2}的{1}",
    "the value of {} is the same as the one before it: {}": "{0}起的值与之前的相同:{1}",
    "is never in force while the pack is ({})": "在评价规则施行期内({0})从不施行",
    "{} of its dated values are never in force while the pack is": (
        "有{0}个按日期写的值在评价规则施行期内从不施行"
    ),
    "gives no points: points are 0": "不给分值:points为0",
    "counts for ever: no months, no days, no until": "永久计入:没有写months、days或until",
    "costs points for ever: it has no end, and no remedy is for its records": (
        "永久扣分:没有截止日,其记录也没有办理步骤"
    ),
    "a step of the decay keeps as much as the time before it, or more": "衰减的一步保留的不少于之前",
    "measures records of any age: it has no window": "计入任何时间的记录:没有写有效期",
    "more than {} combinations of values: not searched for gaps": "取值组合多于{0}种:未查找缺口",
    "cells that read another column or measure: not searched for gaps": (
        "单元格引用了其他栏目或指标:未查找缺口"
    ),
    "values between its rows match none: {}": "各行之间有取值无行匹配:{0}",
    "codes match no row: {}": "有代码无行匹配:{0}",
    "values before the first or after the last row match no row": "首行之前或末行之后的取值无行匹配",
    "values match several rows, whose points add up: {}": "有取值匹配多行,分值相加:{0}",
    "no two rows can match together: hit: unique says so, and keeps it so": (
        "没有两行会同时匹配:写hit: unique可保持如此"
    ),
    "row {} is never reached: the rows before it take every case of it": (
        "第{0}行永远不会匹配:之前各行已包含其全部情形"
    ),
    "is in force from {}, but {} is until {}": "自{0}起施行,而{1}施行至{2}",
    "no version is in force from {} until {}": "{0}至{1}没有施行的版本",
    "version {} is in several files": "版本{0}在几个文件中",
    # rules that others bring
    "not well-formed XML: {}": "不是格式正确的XML",
    "the whole file, as it was exported": "导出的完整文件",
    "not {}": "不是{0}编码",
    "a document type": "含有文档类型声明",
    "the file without <!DOCTYPE …>": "去掉<!DOCTYPE …>的文件",
    "more than {} levels or {} elements": "多于{0}层或{1}个元素",
    "XML of {}, element {}": "XML的命名空间为{0},元素为{1}",
    "DMN {} to {}, or PMML {} to {}": "DMN {0}至{1},或PMML {2}至{3}",
    "no table or scorecard that the language has": "没有规则语言能表达的表或评分卡",
    "see docs/exchange.md": "见docs/exchange.md",
    "no decision table": "没有决策表",
    "a decision table, or the file without it": "决策表,或将其从文件中去掉",
    "a default beside a sum": "相加的表另有默认值",
    "a table without a default": "没有默认值的表",
    "a row of a value has no title and no note": "给出值的行没有标题和说明",
    "not one text as a result": "结果不是一个文本",
    '"high", in quotes': '"high",加引号',
    "not one number as a result": "结果不是一个数字",
    "a decision that is not taken as an input": "作为输入的决策没有转换",
    "an input that is no name": "输入不是名称",
    "the name of an input of the model": "模型中某项输入的名称",
    "a type that columns do not have": "列没有这种类型",
    "number, string, boolean or date": "number、string、boolean或date",
    "an input of two types": "同一输入有两种类型或取值范围",
    "one type, and the same list of values, everywhere": "各处类型一致,取值范围一致",
    "not one number as the output": "输出不是一个数字",
    "one output that is a number: the points": "一个数字输出,即分值",
    "an output beside the points": "分值以外的输出",
    "points alone": "只写分值",
    "a cell that matches nothing": "此格不匹配任何值",
    "the table without the row": "从表中去掉此行",
    "an expression that is not FEEL": "表达式不是用FEEL写的",
    "no table is called so": "没有这样的表",
    "a draft of another pack": "另一评价规则的草案",
    "the draft has something that is called so": "草案中已有同名的内容",
    "another name in the file": "文件中改用其他名称",
    "a pack with a table": "含有表的评价规则",
    "no attribute of the vocabulary {} is called so": "词汇表{0}没有这样的主体属性",
    "a hit policy that the language does not have": "规则语言没有这种命中策略",
    "UNIQUE, FIRST, ANY, PRIORITY with outputValues, or COLLECT with SUM, MIN or MAX": (
        "UNIQUE、FIRST、ANY、带outputValues的PRIORITY,或带SUM、MIN、MAX的COLLECT"
    ),
    "can match together with {}": "可能与{0}同时匹配",
    "rows apart, or the first that matches": "各行互不重叠,或以最先匹配的一行为准",
    "all but some values of a text, and no list of them all": "要求某些文本以外的值,却没有列出全部取值",
    "not a test of a value that the language has": "不是规则语言能表达的判断",
    "-, a value, < 3, [1..5), not(…), null, date(\"2026-01-31\"), or several of these with commas": (
        "-、值、< 3、[1..5)、not(…)、null、date(\"2026-01-31\"),或以逗号隔开的多项"
    ),
    "[70..90), with the smaller end first": "[70..90),小的在前",
    "a comparison of what has no order": "比较的值没有大小次序",
    "a value of the input's type": "与输入类型一致的值",
    "no sheet of a scorecard": "没有评分卡的工作表",
    "a row with 变量, 分箱 and 分值 above the bins": "各分箱之上有一行列名:变量、分箱、分值",
    "no variable": "没有写明变量",
    "its name in every row": "每行都写明变量名称",
    "not a bin": "不是分箱的写法",
    "[30,40), >= 30, 30, A、B, 缺失 or 其他": "[30,40)、>= 30、30、A、B、缺失或其他",
    "a range that does not say whether its ends belong to it": "区间没有写明是否包括两端",
    "[30,40) or (30,40]": "[30,40)或(30,40]",
    "[70,90), with the smaller end first": "[70,90),小的在前",
    "a bin that takes all that is left, and is not the last": "“其他”一箱不在最后",
    "one such bin, the last of its variable": "每个变量至多一个“其他”,放在最后",
    "a range beside other values": "区间与其他类型的值并存",
    "numbers or dates alone": "全为数字或全为日期",
    "a model that is no scorecard": "不是评分卡的模型",
    "a second scorecard": "第二张评分卡",
    "one Scorecard": "一个Scorecard",
    "a score that is computed further": "得分还要再计算",
    "the partial scores as they are to count": "直接写应计的partialScore",
    "reason codes stand as notes of rows; reasons are points below a baseline": (
        "原因代码写在各行的说明中;不计算其先后"
    ),
    "no predicate": "没有条件",
    "a characteristic that reads no field": "特征没有使用任何字段",
    "a field": "一个字段",
    "a predicate that is no and, no or": "条件既不是and也不是or",
    "booleanOperator and, or": "booleanOperator为and或or",
    "a field that is not in the DataDictionary": "DataDictionary中没有这个字段",
    "a value that stands for an unknown one": "以某个值表示未知",
    "no value for what is unknown": "未知的不填值",
    "outliers that are treated otherwise": "对离群值另作处理",
    "not a value of type {}: {}": "不是{0}类型的值:{1}",
    "a value of the field's dataType": "与字段的dataType一致的值",
    "points that are computed": "分值由计算得出",
    "partialScore, a number": "partialScore,一个数字",
    "records of no example": "没有与记录对应的示例",
    "a row {} in {}": "在{1}中有序号{0}的一行",
    "no part of a decision table": "不属于决策表的内容",
    "tables alone": "只保留表",
    "an attribute": "主体的一项属性",
    "a table that gives no points": "不给分值的表",
    "a table that gives points": "给分值的表",
    "a cell that FEEL has no word for": "FEEL无法表达的单元格",
    "one comparison or range of literals": "一个与具体值的比较或范围",
    "a record of which {} is unknown is in no group, and does not count":
        "{0}未知的记录不属于任何一组,不予计算",
    "a dimension with a bound": "维度有上限或下限",
    "a dimension without floor and ceiling": "没有上下限的维度",
    "a score that does not start at 0": "得分的起点不是0",
    "what a decision table of DMN does not have": "DMN的决策表中没有这一项",
    "a table without it": "去掉这一项的表",
    "an input that is no attribute of the subject": "输入不是主体的属性",
    "points by date": "按日期写的分值",
    "points of one day alone": "只写一个分值",
}  # fmt: skip
"""English → Chinese. ``{}`` stands for whatever stands there, ``<type>`` for the word of a type."""

_HOLE = re.compile(r"\{\}|<type>")


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], list[str], str], ...]:
    """What has holes: how it reads in English, its holes, and its Chinese."""
    return tuple(
        (_pattern(english, holes), holes, chinese)
        for english, chinese in _SAID.items()
        if (holes := _HOLE.findall(english))
    )


def _pattern(english: str, holes: list[str]) -> re.Pattern[str]:
    any_type = f"({'|'.join(_TYPES)})"
    filled = [any_type if hole == "<type>" else "(.+?)" for hole in holes]
    parts = [re.escape(part) for part in _HOLE.split(english)]
    return re.compile(
        "".join(part + hole for part, hole in zip(parts, [*filled, ""], strict=True)), re.DOTALL
    )


def in_chinese(english: str) -> str | None:
    """A message or hint of a fault in Chinese; None where it has none.

    >>> in_chinese("nothing declares the name fime"), in_chinese("a text beside a number")
    ('没有声明过名称fime', '文本与数字不能放在一起')
    """
    if english in _SAID:
        return _SAID[english].format()
    for pattern, holes, chinese in _patterns():
        if found := pattern.fullmatch(english):
            pairs = zip(holes, found.groups(), strict=True)
            return chinese.format(*(_TYPES[text] if hole == "<type>" else text for hole, text in pairs))
    return None
