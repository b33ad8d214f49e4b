"""Files made to exhaust the machine are refused with the reason, in little memory and little work."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from warm import Warm

from scoring.facts.ingest import bounds
from scoring.facts.ingest.errors import IngestError
from scoring.facts.ingest.xlsx import _BLOCK
from scoring.store import Store

from .builders import MAIN, Tab, Workbook, row
from .conftest import CODES, Ingest, current

HEAD, GOOD = row("编号", "信用代码"), row("R1", CODES[0])
MEMORY = 400 << 20
SECONDS = 60

READ = f"""
import resource, sys
resource.setrlimit(resource.RLIMIT_CPU, ({SECONDS}, {SECONDS}))
from pathlib import Path
from scoring.facts.ingest.errors import IngestError
from scoring.facts.ingest.headers import HeaderMatcher
from scoring.facts.ingest.mapping import NO_MAPPING
from scoring.facts.ingest.sheets import open_sheets
from rules.library.loader import load_vocabulary
matcher = HeaderMatcher(load_vocabulary("enterprise"), NO_MAPPING)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    with open_sheets(Path(sys.argv[1]), matcher.score) as sheets:
        print("rows", sum(1 for sheet in sheets for _ in sheet.rows))
except IngestError as error:
    print(error)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def read(path: Path) -> tuple[str, int]:
    """What a process of its own says of a file, and the bytes that it needed; it dies of too much work."""
    process = Warm(READ, str(path))
    told, wrong = process.communicate()
    assert process.returncode == 0, wrong
    *said, memory = told.splitlines()
    return "\n".join(said), int(memory) * 1024


def refusal(take: Ingest, path: Path) -> str:
    with pytest.raises(IngestError) as caught:
        take(path)
    return str(caught.value)


def book(path: Path, xml: str = "", **parts: str) -> Path:
    tab = Tab("a", [HEAD, GOOD, xml])
    return Workbook([tab], parts={f"{name}.xml": content for name, content in parts.items()}).write(path)


@pytest.mark.parametrize("content", ["<c/>", "<c><v>1</v></c>", "<a/>", " "])
def test_a_little_file_that_unpacks_to_very_much_is_refused_unread(tmp_path: Path, content: str) -> None:
    size = 64 << 20
    path = book(tmp_path / "a.xlsx", f"<row>{content * (size // len(content))}</row>")
    assert path.stat().st_size < 3 << 20
    said, memory = read(path)
    assert "bytes unpacked for each packed" in said
    assert f"{bounds.HIGHEST_RATIO:,} at most" in said
    assert memory < MEMORY


def test_a_cell_at_the_far_end_of_a_sheet_costs_no_sheet(take: Ingest, sqlite: Store, tmp_path: Path) -> None:
    far = '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    path = book(tmp_path / "a.xlsx", far)
    said, memory = read(path)
    assert said == "rows 3"
    assert memory < MEMORY
    assert (take(path).new, len(current(sqlite))) == (1, 1)


def test_many_cells_at_the_far_end_are_too_many(tmp_path: Path) -> None:
    far = "".join(f'<row r="{n}"><c r="XFD{n}"><v>1</v></c></row>' for n in range(3, 40_000))
    said, memory = read(book(tmp_path / "a.xlsx", far))
    assert f"{bounds.MOST_CELLS:,} at most" in said
    assert memory < MEMORY


def test_elements_that_stand_deep_in_one_another_are_refused(take: Ingest, tmp_path: Path) -> None:
    assert "nested elements: 65, 64 at most" in refusal(take, book(tmp_path / "a.xlsx", "<a>" * 9_000_000))


def test_a_tag_without_end_is_refused(tmp_path: Path) -> None:
    said, memory = read(book(tmp_path / "a.xlsx", '<a b="' + "x" * (30 << 20) + '"/>'))
    assert "bytes of one tag" in said
    assert memory < MEMORY


def test_a_tag_as_long_as_one_may_be_is_taken(take: Ingest, tmp_path: Path) -> None:
    """It is measured where a block ends that is read at once: there it has so many bytes so far."""
    for more in (0, 1):
        begun = f'<worksheet xmlns="{MAIN}"><sheetData>{HEAD}{GOOD}</sheetData>'
        begun += " " * (_BLOCK - more - len(begun.encode()))
        tag = '<a b="'.ljust(bounds.LONGEST_TAG + more, "x") + '"/>'
        path = book(tmp_path / f"{more}.xlsx", sheet0=f"{begun}{tag}</worksheet>")
        if more:
            assert "bytes of one tag: 1,048,577, 1,048,576 at most" in refusal(take, path)
        else:
            assert take(path).new == 1


@pytest.mark.parametrize(
    "declared",
    ['<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">', '<!ENTITY b SYSTEM "file:///etc/passwd">'],
)
@pytest.mark.parametrize("part", ["sheet0", "strings", "styles", "book"])
def test_a_workbook_that_declares_entities_is_none(
    take: Ingest, tmp_path: Path, declared: str, part: str
) -> None:
    xml = f'<!DOCTYPE x [{declared}]><worksheet xmlns="{MAIN}"><sheetData>{HEAD}</sheetData>&b;</worksheet>'
    assert "not an XLSX workbook" in refusal(
        take, book(tmp_path / "a.xlsx", "<row><c s='0' t='s'><v>0</v></c></row>", **{part: xml})
    )


@pytest.mark.parametrize(
    ("bound", "made", "said"),
    [
        ("MOST_CELLS", "<row>" + "<c/>" * 20 + "</row>", "cells: 11, 10 at most"),
        ("MOST_ROWS", "<row/>" * 20, "rows: 11, 10 at most"),
        ("MOST_COLUMNS", row(*"x" * 20), "columns: 11, 10 at most"),
    ],
)
def test_a_sheet_beyond_a_bound_is_refused_with_the_bound(
    take: Ingest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bound: str, made: str, said: str
) -> None:
    path = book(tmp_path / "a.xlsx", made)
    monkeypatch.setattr(bounds, bound, 10)
    assert said in refusal(take, path)


@pytest.mark.parametrize(
    ("bound", "number"),
    [("MOST_CELLS", (HEAD + GOOD).count("<c")), ("MOST_ROWS", 2), ("MOST_COLUMNS", HEAD.count("<c")),
     ("MOST_SHEETS", 1)],
)  # fmt: skip
def test_a_workbook_right_at_a_bound_is_taken(
    take: Ingest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bound: str, number: int
) -> None:
    path = book(tmp_path / "a.xlsx")
    monkeypatch.setattr(bounds, bound, number - 1)
    assert f"{number}, {number - 1} at most" in refusal(take, path)
    monkeypatch.setattr(bounds, bound, number)
    assert take(path).new == 1


def test_more_cells_than_the_file_s_size_can_hold_are_refused(
    take: Ingest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = book(tmp_path / "a.xlsx", ("<row>" + "<c/>" * 100 + "</row>") * 100)
    assert take(path).new == 1
    monkeypatch.setattr(bounds, "FREE_CELLS", 10)
    most = 10 + bounds.CELLS_A_BYTE * path.stat().st_size
    assert f"cells: {most + 1:,}, {most:,} at most" in refusal(take, path)


def full(path: Path) -> Path:
    """A workbook with several of everything."""
    shared, styled = '<c t="s"><v>0</v></c>', '<c s="1"><v>0</v></c>'
    tabs = [Tab("a", [HEAD, GOOD, row(shared), row(styled)], merges=[f"A{n}:B{n}" for n in range(5, 9)])]
    return Workbook(tabs, formats=["0"] * 5, strings="<si><t>x</t></si>" * 5).write(path)


@pytest.mark.parametrize(
    ("bound", "number"),
    [("MOST_MERGES", 4), ("MOST_STRINGS", 5), ("MOST_STYLES", 6), ("DEEPEST_ELEMENT", 6)],
)
def test_parts_right_at_a_bound_are_taken(
    take: Ingest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bound: str, number: int
) -> None:
    path = full(tmp_path / "a.xlsx")
    monkeypatch.setattr(bounds, bound, number - 1)
    assert f"{number}, {number - 1} at most" in refusal(take, path)
    monkeypatch.setattr(bounds, bound, number)
    assert take(path).new == 1


@pytest.mark.parametrize(
    "bound", ["LARGEST_FILE", "LARGEST_UNPACKED", "LARGEST_STRINGS", "HIGHEST_RATIO", "FREE_UNPACKED"]
)
def test_a_workbook_exactly_as_large_as_one_may_be_is_taken(
    take: Ingest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bound: str
) -> None:
    path = full(tmp_path / "a.xlsx")
    with zipfile.ZipFile(path) as archive:
        sizes = {entry.filename: entry.file_size for entry in archive.infolist()}
    unpacked, packed = sum(sizes.values()), path.stat().st_size
    monkeypatch.setattr(bounds, "FREE_UNPACKED", unpacked - (bound == "HIGHEST_RATIO"))
    monkeypatch.setattr(bounds, "HIGHEST_RATIO", 0)
    most = {
        "LARGEST_FILE": packed,
        "LARGEST_STRINGS": sizes["strings.xml"],
        "HIGHEST_RATIO": unpacked // packed,
    }
    number = most.get(bound, unpacked)
    monkeypatch.setattr(bounds, bound, number - 1)
    assert "at most" in refusal(take, path)
    monkeypatch.setattr(bounds, bound, number)
    assert take(path).new == 1


def test_parts_beyond_a_bound_are_refused_with_the_bound(
    take: Ingest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = full(tmp_path / "a.xlsx")
    for bound, said in {
        "MOST_STRINGS": "shared texts: 4, 3 at most",
        "MOST_STYLES": "formats of numbers: 4, 3 at most",
        "MOST_MERGES": "merged blocks: 4, 3 at most",
        "LARGEST_STRINGS": "bytes of shared texts",
        "LARGEST_UNPACKED": "bytes when unpacked",
        "LARGEST_FILE": "bytes of the file",
    }.items():
        with monkeypatch.context() as patched:
            patched.setattr(bounds, bound, 3)
            assert said in refusal(take, path)
    many = Workbook([Tab(f"{n}", [HEAD]) for n in range(5)]).write(tmp_path / "b.xlsx")
    monkeypatch.setattr(bounds, "MOST_SHEETS", 3)
    assert "sheets: 4, 3 at most" in refusal(take, many)


@pytest.mark.parametrize(
    "cell",
    ['<c t="s"><v>9</v></c>', '<c t="s"><v>-1</v></c>', "<c><v>1e999</v></c>", "<c><v>nan</v></c>",
     "<c><v>x</v></c>", '<c s="-1"><v>1</v></c>', '<c s="999"><v>1</v></c>', '<c t="d"><v>99</v></c>',
     '<c r="ZZZZ1"><v>1</v></c>', '<c r="A"><v>1</v></c>', f"<c><v>{'9' * 5_000}</v></c>",
     '<c s="1"><v>9e99</v></c>', '<c r="1"/>'],
)  # fmt: skip
def test_a_cell_of_nonsense_is_refused_or_read_but_never_a_crash(
    take: Ingest, tmp_path: Path, cell: str
) -> None:
    tab = Tab("a", [HEAD, f"<row>{cell}</row>"])
    path = Workbook([tab], formats=["yyyy-mm-dd"]).write(tmp_path / "a.xlsx")
    try:
        report = take(path)
    except IngestError as error:
        said = str(error)
    else:
        said = "not an XLSX workbook" if not report.new else "taken"
    assert "not an XLSX workbook" in said


@pytest.mark.parametrize("missing", ["_rels/.rels", "book.xml", "_rels/book.xml.rels", "sheet0.xml"])
def test_a_workbook_that_lacks_a_part_is_none(take: Ingest, tmp_path: Path, missing: str) -> None:
    whole = book(tmp_path / "whole.xlsx")
    with zipfile.ZipFile(whole) as old, zipfile.ZipFile(tmp_path / "a.xlsx", "w") as new:
        for name in old.namelist():
            if name != missing:
                new.writestr(name, old.read(name))
    assert "not an XLSX workbook" in refusal(take, tmp_path / "a.xlsx")


def test_an_old_workbook_cut_anywhere_is_refused_or_read(take: Ingest, tmp_path: Path) -> None:
    xlwt = pytest.importorskip("xlwt")
    made = xlwt.Workbook()
    sheet = made.add_sheet("a")
    for column, header in enumerate(["编号", "信用代码"]):
        sheet.write(0, column, header)
    made.save(str(tmp_path / "whole.xls"))
    whole = (tmp_path / "whole.xls").read_bytes()
    for cut in range(8, len(whole), 251):
        damaged = whole[:cut] + bytes((whole[cut] ^ 0xFF,)) + whole[cut + 1 :]
        for content in (whole[:cut], damaged):
            (tmp_path / "a.xls").write_bytes(content)
            try:
                assert take(tmp_path / "a.xls").rows == 0
            except IngestError:
                continue


@pytest.mark.parametrize(
    "line",
    ['1,"2,3', "x" * 1000 + ",", '"' * 7, "\r", "甲乙丙丁,戊"],
    ids=["open", "long", "quotes", "cr", "zh"],
)
def test_odd_text_takes_little_for_its_size(tmp_path: Path, line: str) -> None:
    content = '编号,信用代码\n1,"open\n' + f"{line}\n" * (2_000_000 // (len(line.encode()) + 1))
    (tmp_path / "a.csv").write_text(content, encoding="utf-8", newline="")
    said, memory = read(tmp_path / "a.csv")
    assert said.startswith("rows ")
    assert memory < MEMORY


def test_a_line_of_a_hundred_megabytes_is_refused(tmp_path: Path) -> None:
    with (tmp_path / "a.csv").open("wb") as stream:
        stream.writelines(b"," * (1 << 20) for _ in range(100))
    said, memory = read(tmp_path / "a.csv")
    assert "line 1 has more than 1,048,576 characters" in said
    assert memory < MEMORY


@pytest.mark.parametrize("name", ["处罚.csv", "处罚.CSV"])
def test_a_pdf_is_called_one(take: Ingest, tmp_path: Path, name: str) -> None:
    """Neither a wrong encoding nor a row is what the office is to mend."""
    (tmp_path / name).write_bytes(
        b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<< /Length 5 >>\nstream\n\xff\x81\x00\n"
    )
    with pytest.raises(IngestError, match="PDF文件"):
        take(tmp_path / name)
