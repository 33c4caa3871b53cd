"""What writing a report promises: every file whole, no debris, and a sentence where it cannot be done."""

from __future__ import annotations

import errno
import gc
import re
from dataclasses import replace
from pathlib import Path

import pytest
from support.runs import make_case, make_run, without_samples

from bench.errors import BenchError
from bench.model import Run
from bench.record.runfile import load
from bench.report.charts import draw
from bench.report.write import ReportPaths, write_report


def small_run() -> Run:
    return make_run([make_case({"selectin": 5.0, "joined": 6.0}, rounds=2)])


def untimed_run(*sizes: str) -> Run:
    return make_run([without_samples(make_case({"selectin": 5.0}, size=size)) for size in sizes])


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_report_is_two_pages_and_each_chart_as_svg_and_png(tmp_path: Path) -> None:
    paths = write_report(small_run(), tmp_path)
    names = [f"one_to_many-1000x50-sqlite-{kind}" for kind in ("time", "counts", "samples")]
    charts = tuple(tmp_path / "charts" / f"{name}.{ending}" for name in names for ending in ("svg", "png"))
    assert paths == ReportPaths(markdown=tmp_path / "report.md", html=tmp_path / "report.html", charts=charts)
    assert set(files(tmp_path)) == {"report.md", "report.html", *(f"charts/{path.name}" for path in charts)}


def test_every_image_that_the_markdown_shows_was_written(tmp_path: Path) -> None:
    write_report(small_run(), tmp_path)
    images = re.findall(r"!\[[^\]]*\]\(([^)]+)\)", (tmp_path / "report.md").read_text("utf-8"))
    assert len(images) == 3
    assert all((tmp_path / image).is_file() for image in images)


def test_a_series_gets_its_crossover_chart(tmp_path: Path) -> None:
    cases = [make_case({"selectin": ms, "joined": 5.0}, size=f"10x{ms}", rounds=2) for ms in (4, 6)]
    write_report(make_run(cases), tmp_path)
    assert (tmp_path / "charts" / "one_to_many-10xn-sqlite-crossover.svg").is_file()
    assert "charts/one_to_many-10xn-sqlite-crossover.png" in (tmp_path / "report.md").read_text("utf-8")


def test_the_same_run_is_written_with_the_same_bytes(tmp_path: Path) -> None:
    write_report(small_run(), tmp_path)
    first = files(tmp_path)
    write_report(small_run(), tmp_path)
    assert files(tmp_path) == first


def test_a_run_in_which_nothing_was_measured_gets_a_report(tmp_path: Path) -> None:
    wrong = make_case({}, wrong={"selectin": "User 3 differs."})
    for run in (make_run([]), make_run([wrong]), untimed_run("10x5"), make_run([replace(wrong, arms=())])):
        paths = write_report(run, tmp_path)
        assert paths.html.read_bytes().endswith(b"</html>\n")
        assert paths.markdown.stat().st_size


def test_of_many_cases_the_first_are_drawn_and_all_when_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(draw, "MOST_CASES_DRAWN", 2)
    monkeypatch.setattr(draw, "FIRST_CASES_DRAWN", 1)
    assert len(write_report(untimed_run("10x1", "20x2"), tmp_path).charts) == 2 * 2
    run = untimed_run("10x1", "20x2", "30x3")
    few = write_report(run, tmp_path)
    assert len(few.charts) == 1 * 2
    assert "--charts all" in few.markdown.read_text("utf-8")
    everything = write_report(run, tmp_path, charts="all")
    assert len(everything.charts) == 3 * 2
    assert "--charts all" not in everything.markdown.read_text("utf-8")
    assert "--charts all" not in everything.html.read_text("utf-8")


def test_writing_leaves_the_collector_as_it_was(tmp_path: Path) -> None:
    assert gc.isenabled()
    write_report(untimed_run("10x1"), tmp_path)
    assert gc.isenabled()
    gc.disable()
    try:
        write_report(untimed_run("10x1"), tmp_path)
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_the_folder_is_made(tmp_path: Path) -> None:
    assert write_report(untimed_run("10x1"), tmp_path / "new" / "run").html.is_file()


def test_text_that_is_no_unicode_does_not_stop_the_report(tmp_path: Path) -> None:
    run = replace(untimed_run("10x1"), label="bad \udcff byte", command=("bench", "\udcff"))
    assert write_report(run, tmp_path).html.is_file()


def test_a_file_where_the_folder_should_be_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("")
    with pytest.raises(BenchError, match=r"cannot be written to .*charts.*bench report"):
        write_report(untimed_run("10x1"), tmp_path / "run")


def test_a_page_that_cannot_be_replaced_is_an_error_and_leaves_no_debris(tmp_path: Path) -> None:
    (tmp_path / "report.html" / "in the way").mkdir(parents=True)
    with pytest.raises(BenchError, match="cannot be written"):
        write_report(untimed_run("10x1"), tmp_path)
    assert not [name for name in files(tmp_path) if name.rpartition("/")[2].startswith(".")]


@pytest.mark.parametrize(
    ("number", "remedy"),
    [(errno.ENOSPC, "Free some space"), (errno.EACCES, "Make the folder writable"), (errno.EIO, "Check that")],
)
def test_a_disk_that_refuses_leaves_the_old_report_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, remedy: str
) -> None:
    write_report(untimed_run("10x1"), tmp_path)
    before = files(tmp_path)
    write_bytes = Path.write_bytes

    def refuse(path: Path, content: bytes) -> int:
        write_bytes(path, content[: len(content) // 2])
        raise OSError(number, "refused", str(path))

    monkeypatch.setattr(Path, "write_bytes", refuse)
    with pytest.raises(BenchError) as caught:
        write_report(untimed_run("10x1", "20x2"), tmp_path)
    assert caught.value.remedy.startswith(remedy)
    assert caught.value.exit_code == 2
    assert files(tmp_path) == before


@pytest.mark.parametrize(("golden", "charts"), [("run-v1.json", 3), ("run-v2.json", 2 * 3 + 1)])
def test_a_run_of_every_format_gets_its_report(golden: str, charts: int, tmp_path: Path) -> None:
    run = load(Path(__file__).parents[2] / "data" / golden)
    paths = write_report(run, tmp_path)
    assert len(paths.charts) == 2 * charts
    for page in (paths.markdown, paths.html):
        assert all(target.name in page.read_text("utf-8") for target in run.cases[0].targets)
