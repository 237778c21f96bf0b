#!/usr/bin/env python3
"""The report in a real browser: bitloom report on the digits' results, opened in headless Chromium.

    browser_check.py BITLOOM SOURCE_FOLDER [--page REPORT.html] [--screenshots FOLDER]

    --page         checks this page instead of one made here
    --screenshots  keeps pictures of it: light and dark, 1440 and 390 px, and on paper

Ends with status 77, saying why, where there is no Chromium. Faults are planted too: each must be reported.
"""

import argparse
import pathlib
import re
import subprocess
import sys
import tempfile

import chromium
import results

LARGEST = 3_000_000  # bytes
LEAST_CONTRAST = 4.5  # WCAG 2.1, level AA, text
CHECKS = (pathlib.Path(__file__).parent / "page_checks.js").read_text()


WINDOWS = ((390, False), (390, True), (1440, False), (1440, True))  # width in pixels, dark


def check(page, url, expected, windows=WINDOWS, screenshots=None):
    """All that is wrong with the page at `url` in some windows, as texts; `expected`: ids that must be there."""
    wrong = []
    for width, dark in windows:
        where = f"{width} px, {'dark' if dark else 'light'}"
        page.open(url, width, dark=dark)
        wrong += [f"{where}: the console says: {text}" for text in page.messages()]
        wrong += [f"{where}: asks for {address}" for address in page.requests() if address != url]
        if screenshots:
            page.screenshot(screenshots / f"{width}-{'dark' if dark else 'light'}.png")
        page.run(f"globalThis.checks = {CHECKS}; 0")
        wrong += [f"{where}: {text}" for text in page.run("checks.overflow()")]
        page.run("checks.openAll()")
        wrong += [f"{where}, tables open: {text}" for text in page.run("checks.overflow()")]
        wrong += [f"{where}: {text}" for text in page.run("checks.clippedText()") + page.run("checks.smallText(9.5)")]
        contrast = page.run(f"checks.contrast({LEAST_CONTRAST})")
        wrong += [f"{where}: {text}" for text in contrast["wrong"]]
        if contrast["checked"] < 100:
            wrong.append(f"{where}: only {contrast['checked']} texts were found")
        if (contrast["ground"] < 0.2) != dark:
            wrong.append(f"{where}: the ground's luminance is {contrast['ground']:.2f}")
    wrong += page.run("checks.structure()")
    missing = page.run(f"{list(expected)}.filter(id => !document.getElementById(id))")
    wrong += [f"#{name} is missing" for name in missing]
    return wrong


def check_print(page, url, screenshots):
    # A4 without margins of 14 mm: 182 mm at 96 pixels an inch.
    page.open(url, 688, media="print")
    page.run(f"globalThis.checks = {CHECKS}; 0")
    wide = page.run("""[...document.querySelectorAll("table, svg.plot, img")].filter(e => e.checkVisibility({contentVisibilityAuto: true}))
        .map(e => [e.getAttribute("aria-label") || e.closest("figure")?.id, e.getBoundingClientRect().right]).filter(([, right]) => right > 689)""")
    wrong = [f"on paper, {name} reaches to {right:.0f} px of 688" for name, right in wide]
    contrast = page.run(f"checks.contrast({LEAST_CONTRAST})")
    wrong += [f"on paper: {text}" for text in contrast["wrong"]]
    document = page.pdf()
    if screenshots:
        (screenshots / "report.pdf").write_bytes(document)
    pages = len(re.findall(rb"/Type\s*/Page\b", document))
    if not document.startswith(b"%PDF-") or pages < 2:
        wrong.append(f"printing gives {len(document)} bytes with {pages} pages")
    return wrong


# Each fault is planted in the finished page; its report must contain the text at the right.
FAULTS = [
    ("an image from elsewhere", ("</main>", '<img alt="x" src="http://127.0.0.1:9/pixel.png"></main>'), "asks for http://127.0.0.1:9/pixel.png"),
    ("a file beside the page", ("</style>", '</style><link rel="stylesheet" href="other.css">'), "other.css"),
    ("an element of 2000 px", ("</main>", '<div id="wide" style="width:2000px">wide</div></main>'), "the page is 20"),
    ("a table that does not scroll", ('<div class="scroll" ', "<div "), "does not stand in a container"),
    ("a script that fails", ("</body>", "<script>undefined_name()</script></body>"), "the console says"),
    ("a warning", ("</body>", "<script>console.warn('careful')</script></body>"), "careful"),
    ("pale text", ("--soft: #545d68", "--soft: #a8b0b8"), "has a contrast of"),
    ("pale text in the dark", ("--soft: #a3adb8", "--soft: #4a525c"), "has a contrast of"),
    ("no dark style", ("prefers-color-scheme: dark", "prefers-color-scheme: none"), "the ground's luminance"),
    ("a plot that is missing", ('<figure id="m0d0-roofline">', '<figure id="gone">'), "#m0d0-roofline is missing"),
    ("a plot without its title", ('<title id="m0d0-clocks-title">', '<title id="m0d0-clocks-title"></title><title>'), "has no title"),
    ("small print", (".plot text { font-size: 12px", ".plot text { font-size: 7px"), "text of"),
    ("a table too wide for paper", ("th, td { padding: .12rem .2rem; white-space: normal; }", ""), "on paper"),
    ("a broken image", ("data:image/png;base64,", "data:image/png;base64,AAAA"), "is not shown"),
]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("bitloom")
    parser.add_argument("source", type=pathlib.Path)
    parser.add_argument("--page", type=pathlib.Path)
    parser.add_argument("--screenshots", type=pathlib.Path)
    arguments = parser.parse_args()
    if not chromium.find():
        print("no Chromium on PATH (apt-get install chromium): the report is not looked at")
        return 77
    failures = []
    with tempfile.TemporaryDirectory(prefix="bitloom_report_") as name, chromium.Page() as page:
        folder = pathlib.Path(name)
        if arguments.screenshots:
            arguments.screenshots.mkdir(parents=True, exist_ok=True)
        if arguments.page:
            url = arguments.page.resolve().as_uri()
            for text in check(page, url, [], screenshots=arguments.screenshots) + check_print(page, url, arguments.screenshots):
                print("FAILED:", text)
                failures.append(text)
            return 1 if failures else 0
        expected = results.write(arguments.bitloom, arguments.source, folder)
        subprocess.run([arguments.bitloom, "report", folder], check=True, stdout=subprocess.DEVNULL)
        report = folder / "report.html"
        size = report.stat().st_size
        failures = check(page, report.as_uri(), expected, screenshots=arguments.screenshots) + check_print(page, report.as_uri(), arguments.screenshots)
        if size >= LARGEST:
            failures.append(f"the page has {size} bytes, at most {LARGEST} are allowed")
        print(f"the page of {size} bytes: {len(expected)} parts looked for, {len(failures)} faults")
        text = report.read_text()
        for fault, (old, new), told in FAULTS:
            if old not in text:
                failures.append(f"the fault '{fault}' cannot be planted: the page has no {old}")
                continue
            planted = folder / "planted.html"
            planted.write_text(text.replace(old, new, 1))
            found = check(page, planted.as_uri(), expected, [(390, "dark" in fault)]) + (check_print(page, planted.as_uri(), None) if "paper" in fault else [])
            if not any(told in line for line in found):
                failures.append(f"the fault '{fault}' is not found; reported were: {found[:5]}")
            else:
                print(f"planted and found: {fault}")
    for failure in failures:
        print("FAILED:", failure)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
