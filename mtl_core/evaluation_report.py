"""How an evaluation is shown: text tables for a terminal, one picture for a page.

Both read nothing but the dictionaries of `mtl_core.evaluate`; undefined figures show as "-".
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mtl_core.files import write_whole

_TITLES = {
    "grades_1_3": "Grades 1-3, four answers (a predicted 0 is wrong)",
    "grades_1_3_restricted": "Grades 1-3, restricted: most probable of 1, 2, 3",
    "grades_0_3": "Grades 0-3, read as such",
    "grades_0_3_surrogate_zero": "Grades 0-3, normal mucosa of another source as surrogate 0",
    "active_uc": "Active (MES >= 2) vs inactive, pictures of ulcerative colitis",
    "active_all": "Active (MES >= 2) vs inactive, with normals and negatives",
}
_GRADE_FIGURES = (
    "qwk",
    "balanced_accuracy",
    "accuracy",
    "macro_f1",
    "mae",
    "off_by_2",
    "ece",
    "brier",
    "nll",
)
_PER_GRADE = ("recall", "precision", "f1")
_INK = "#57106E"


def format_report(report: Mapping[str, Any]) -> str:
    """The report as text tables: value and 95 % interval of every figure, then sources and caveats."""
    lines = [f"{report['rows']} pictures in {report['groups']} groups; brackets: 95 % group bootstrap"]
    for name, title in _TITLES.items():
        if name in report:
            block = report[name]
            lines += ["", f"{title}: {block['rows']} pictures, {block['groups']} groups"]
            lines += _grade_lines(block) if "grades" in block else _active_lines(block)
    lines += ["", "By source: share called active (pictures; predicted grades 0/1/2/3)"]
    for entry in report["sources"]:
        name = f"{entry['source']} {entry['use']}, {entry['truth']}"
        grades = "/".join(str(count) for count in entry["predicted_grades"])
        called = _number(entry["figures"]["called_active"])
        lines.append(f"  {name:<36} {called}  ({entry['rows']}; {grades})")
    if report["by_fold"]:
        folds = []
        for entry in report["by_fold"]:
            figures = f"QWK {_value(entry['qwk'])} AUC {_value(entry['auc'])}"
            folds.append(f"{entry['fold']}: {figures} ({entry['rows']})")
        lines += ["", "By fold, pictures of ulcerative colitis: " + " | ".join(folds)]
    lines += ["", *(f"Note: {caveat}" for caveat in report["caveats"])]
    return "\n".join(lines) + "\n"


_SUMMARY = (
    ("grades_1_3", "qwk", "QWK"),
    ("grades_1_3", "balanced_accuracy", "balanced accuracy"),
    ("grades_1_3", "accuracy", "accuracy"),
    ("grades_1_3", "recall_1", "recall MES 1"),
    ("grades_1_3", "recall_2", "recall MES 2"),
    ("grades_1_3", "recall_3", "recall MES 3"),
    ("grades_1_3_restricted", "qwk", "QWK among 1-3"),
    ("active_uc", "auc", "AUC active"),
    ("active_uc", "sensitivity", "sensitivity"),
    ("active_uc", "specificity", "specificity"),
    ("active_all", "auc", "AUC with normals and negatives"),
    ("active_all", "specificity", "specificity with them"),
)


def format_summary(reports: Mapping[str, Mapping[str, Any]]) -> str:
    """Several reports as one Markdown table: a row per figure, a column per report."""
    lines = [
        "# Measured figures",
        "",
        "Written by `mtl-core evaluate … --summary`. Every number is out of fold, with its 95 % interval by",
        "a bootstrap over near-duplicate groups. Grades: pictures of ulcerative colitis graded 1-3, where a",
        "predicted 0 is wrong. Active: MES >= 2; sensitivity and specificity at the cross-fitted",
        "conservative threshold.",
        "",
        "| | " + " | ".join(reports) + " |",
        "|---|" + "---|" * len(reports),
        "| pictures | " + " | ".join(str(report["rows"]) for report in reports.values()) + " |",
    ]
    for block, figure, title in _SUMMARY:
        cells = [_number(report[block]["figures"][figure]) for report in reports.values()]
        lines.append(f"| {title} | " + " | ".join(cells) + " |")
    caveats = [f"- {caveat}" for caveat in next(iter(reports.values()))["caveats"]]
    return "\n".join([*lines, "", *caveats, ""])


def format_comparison(comparison: Mapping[str, Any], first: str, second: str) -> str:
    """Paired differences of `mtl_core.evaluate.compare` as a text table; ``first``, ``second``: names."""
    lines = [f"{first} minus {second}; brackets: 95 % paired group bootstrap; p: two-sided share"]
    for name, block in comparison.items():
        lines += ["", f"{_TITLES[name]}: {block['rows']} pictures"]
        for figure, found in block["figures"].items():
            lines.append(f"  {figure:<32} {_number(found, sign=True)}  p {_value(found['p'])}")
    return "\n".join(lines) + "\n"


def _grade_lines(block: Mapping[str, Any]) -> list[str]:
    figures = block["figures"]
    lines = [f"  {name:<32} {_number(figures[name])}" for name in _GRADE_FIGURES]
    for grade in block["grades"]:
        each = "  ".join(f"{kind} {_number(figures[f'{kind}_{grade}'])}" for kind in _PER_GRADE)
        lines.append(f"  MES {grade}: {each}")
    lines.append("  confusion (rows true, columns predicted 0 1 2 3)")
    for grade in block["grades"]:
        counts = " ".join(f"{count:5d}" for count in block["confusion"][grade])
        lines.append(f"    MES {grade} {counts}")
    return lines


def _active_lines(block: Mapping[str, Any]) -> list[str]:
    lines = [f"  {name:<32} {_number(found)}" for name, found in block["figures"].items()]
    counts = ", ".join(f"{name.replace('_', ' ')} {count}" for name, count in block["decisions"].items())
    return [*lines, f"  at the conservative threshold: {counts}"]


def _number(found: Mapping[str, Any], sign: bool = False) -> str:
    return f"{_value(found['value'], sign)} [{_value(found['low'], sign)}, {_value(found['high'], sign)}]"


def _value(number: float | None, sign: bool = False) -> str:
    if number is None:
        return "-"
    return f"{number:+.3f}" if sign else f"{number:.3f}"


def draw(report: Mapping[str, Any], path: Path) -> None:
    """Write one PNG: the confusion matrices and the reliability diagram of P(active); whole or not at all."""
    grades = [name for name in _TITLES if "grades" in report.get(name, {})]
    actives = [name for name in _TITLES if "reliability" in report.get(name, {})]
    panels = max(len(grades) + bool(actives), 1)
    figure = Figure(figsize=(4.4 * panels, 4.6), dpi=150, layout="constrained")
    axes = figure.subplots(1, panels, squeeze=False)[0]
    for axis, name in zip(axes, grades, strict=False):
        _draw_confusion(axis, report[name], _TITLES[name])
    if actives:
        _draw_reliability(axes[-1], report, actives)
    picture = io.BytesIO()
    figure.savefig(picture, format="png")
    write_whole(path, picture.getvalue())


def _draw_confusion(axis: Axes, block: Mapping[str, Any], title: str) -> None:
    grades: Sequence[int] = block["grades"]
    counts = np.array(block["confusion"], dtype=float)[list(grades)]
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axis.imshow(shares, cmap="Purples", vmin=0, vmax=1)
    for (row, column), share in np.ndenumerate(shares):
        colour = "white" if share > 0.5 else "black"
        text = f"{counts[row, column]:.0f}\n{share:.0%}"
        axis.text(column, row, text, ha="center", va="center", color=colour, fontsize=9)
    axis.set_xticks(range(counts.shape[1]), labels=[f"MES {k}" for k in range(counts.shape[1])])
    axis.set_yticks(range(len(grades)), labels=[f"MES {k}" for k in grades])
    axis.set_xlabel("predicted")
    axis.set_ylabel("true")
    heading, _, detail = title.partition(", ")
    axis.set_title(f"{heading}\n{detail}\nQWK {_number(block['figures']['qwk'])}", fontsize=8)


def _draw_reliability(axis: Axes, report: Mapping[str, Any], names: Sequence[str]) -> None:
    axis.plot([0, 1], [0, 1], color="#888888", linewidth=1, linestyle=":")
    looks = {"active_uc": ("o-", _INK, "ulcerative colitis"), "active_all": ("s--", "#CE8B49", "all")}
    for name in names:
        bins = report[name]["reliability"]
        style, colour, label = looks[name]
        ece = _value(report[name]["figures"]["ece"]["value"])
        axis.plot(
            [entry["p_active"] for entry in bins],
            [entry["share_active"] for entry in bins],
            style,
            color=colour,
            label=f"{label}, ECE {ece}",
        )
    axis.set(xlim=(0, 1), ylim=(0, 1), aspect="equal", xlabel="P(active)", ylabel="share truly active")
    axis.set_title("Reliability of P(active)", fontsize=8)
    axis.legend(fontsize=8, loc="upper left")
