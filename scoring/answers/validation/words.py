"""What people read of a backtest and of a drift."""

from __future__ import annotations

from rules.titles import Title
from scoring.answers.validation.backtest import Verdict
from scoring.answers.validation.drift import Size

VERDICTS = {
    Verdict.FORESEES: Title("与分值方向一致", "as its points say"),
    Verdict.CONTRARY: Title("与分值方向相反", "against its points"),
    Verdict.UNTOLD: Title("未见区别", "tells nobody apart"),
    Verdict.UNPOINTED: Title("有区别但不计分", "tells apart, and gives no points"),
    Verdict.NOBODY: Title("样本中无从比较", "nobody to compare"),
}

SIZES = {
    Size.STABLE: Title("稳定", "stable"),
    Size.MODERATE: Title("有变化", "moderate shift"),
    Size.MAJOR: Title("变化显著", "major shift"),
}
