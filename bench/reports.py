"""What a report takes to write: `python bench/reports.py`, on a database that is filled (bench/load.py), computed and
counted (`manage.py fill_days`): every page that a report can hold by itself (what it says, its pictures, its CSV and
workbook), and a letter with as many pages as a report may have. Nothing is remembered from before, kept or sent."""

from __future__ import annotations

import sys
import time
from itertools import pairwise
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.measuring import machine, need_touchpoints, peak_resident_mb, start_django

PERIODS = ("30d", "365d")


def main() -> None:
    start_django()
    need_touchpoints()
    from django.core.cache import cache

    from analytics.files import csv_text
    from analytics.models import Report
    from analytics.reports.keeping import MOST_PAGES
    from analytics.reports.pictures import picture
    from analytics.reports.views import VIEWS
    from analytics.reports.writing import letter_of
    from analytics.workbooks import workbook_bytes
    from customers.ingest import clock

    now = clock()
    print(f"{machine()}\n\n| page | asked | said | pictures | CSV | workbook | rows |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for view in VIEWS.values():
        for question in [f"period={period}" for period in PERIODS] if "period" in view.takes else [""]:
            cache.clear()
            marks = [time.perf_counter()]
            page = view.page(question, now=now)
            marks.append(time.perf_counter())
            for block in page.blocks:
                if block.chart is not None:
                    picture(block.chart)
            marks.append(time.perf_counter())
            csv_text(page.cells)
            marks.append(time.perf_counter())
            workbook_bytes(page.cells)
            marks.append(time.perf_counter())
            cells = " | ".join(f"{(end - begin) * 1e3:.0f} ms" for begin, end in pairwise(marks))
            print(f"| {view.title} | {question or 'nothing'} | {cells} | {len(page.cells)} |", flush=True)
    for period in PERIODS:
        pages = [
            {"view": view.key, "question": f"period={period}" if "period" in view.takes else ""}
            for view in list(VIEWS.values())[:MOST_PAGES]
        ]
        report = Report(name="Bench", pages=pages, with_csv=True, with_xlsx=True, site="http://127.0.0.1:8000/")
        cache.clear()
        began = time.perf_counter()
        letter = letter_of(report=report, due_at=now, now=now)
        taken = time.perf_counter() - began
        size = len(letter.packed()) / 1e6
        print(f"\na letter of {len(pages)} pages, {period}, CSV and workbook: {taken:.1f} s, {size:.1f} MB packed")
    print(f"most memory {peak_resident_mb():.0f} MB")


if __name__ == "__main__":
    main()
