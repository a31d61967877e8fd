import re

from spectell.evaluation.intervals import Interval
from spectell.reports.audit import render_audit
from spectell.workflows.auditing.report import AuditReport, ClassFacts, Comparison, DuplicateCounts, Leak


def report(*, leaks=(), comparisons=(), pixels=True, generator="gan"):
    traces = {"JPEG grid": {"at 0,0": 9, "none": 1}} if pixels else {}
    thumbnail = [[[10.0, 20.0, 30.0]] * 8] * 8 if pixels else None
    classes = tuple(
        ClassFacts(name, 10, 10, {"format": {"PNG": 10}}, traces, thumbnail) for name in ("real", generator)
    )
    limits = {"facts": 0.55, "thumbnails": 0.6}
    return AuditReport(
        20,
        20,
        0,
        classes,
        tuple(comparisons),
        DuplicateCounts(1, 2, 3, 4, 5),
        tuple(leaks),
        ("a note",),
        pixels,
        limits,
    )


def comparison(generator="gan", low=0.8):
    auc = Interval(0.9, low, 1.0)
    return Comparison(generator, auc, {"format": auc, "size": None}, {"JPEG grid": auc}, Interval(0.58, 0.5, 0.62))


def test_every_leak_is_there_with_its_numbers_and_its_remedy():
    page = render_audit(report(leaks=[Leak("format of gan", "real PNG; gan JPEG", "save them alike")]), "data/faces")
    assert "<title>Audit of faces</title>" in page
    assert "Format of gan" in page
    assert "real PNG; gan JPEG." in page
    assert "What to do: save them alike." in page
    assert "1 way to tell the classes" in page
    assert "No leak was found" not in page


def test_what_several_generators_leak_is_one_remark_with_one_remedy():
    leaks = [Leak(f"size of {name}", f"evidence on {name}", "crop them alike") for name in ("gan", "vae")]
    page = render_audit(report(leaks=[*leaks, Leak("groups across splits", "3 groups", "split anew")]), "faces")
    assert "Size of 2 generators" in page
    assert "<li>evidence on gan</li><li>evidence on vae</li>" in page
    assert page.count("What to do: crop them alike.") == 1
    assert "Groups across splits" in page
    assert "3 ways to tell the classes" in page


def test_the_table_has_a_row_for_each_thing_that_has_a_figure():
    page = render_audit(report(comparisons=[comparison()]), "faces")
    rows = re.findall(r'<th scope="row">gan</th><td>([^<]+)</td><td class="number">([^<]+)</td><td>([^<]+)</td>', page)
    assert rows == [
        ("format", "0.900 [0.800, 1.000]", "leak"),
        ("all file facts together", "0.900 [0.800, 1.000]", "leak"),
        ("JPEG grid", "0.900 [0.800, 1.000]", "leak"),
        ("8 × 8 thumbnails", "0.580 [0.500, 0.620]", "–"),
    ]
    assert "data:image/png" in page


def test_a_page_without_pixels_says_that_they_were_not_looked_at():
    page = render_audit(report(pixels=False), "faces")
    assert "No leak was found" in page
    assert "The pixels were not looked at." in page
    assert "What the pixels remember" not in page
    assert "too few images of both classes" in page


def test_more_generators_than_fit_a_figure_are_all_in_the_table():
    page = render_audit(report(comparisons=[comparison(f"gan{k}") for k in range(8)]), "faces")
    assert "the table has all 8" in page
    assert len(re.findall(r'<th scope="row">gan\d</th><td>format</td>', page)) == 8


def test_names_from_outside_are_escaped_and_nothing_is_fetched():
    leak = Leak("format of <script>", "<b>", "&")
    page = render_audit(report(leaks=[leak], comparisons=[comparison("<i>")], generator="<i>"), "<u>")
    assert "<script>" not in page
    assert "<i>" not in page
    assert "<u>" not in page
    assert not re.search(r'(?:src|href)="(?!data:|#)', page)
