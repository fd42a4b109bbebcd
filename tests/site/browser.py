"""Walk through the built site in Debian's Chromium.

    browser.py file|http SITE CASES SCREENSHOTS

The site is opened from its folder or from a server on loopback. CASES holds what the finder must
answer, as the generated scripts and the command line do. The first thing that is wrong ends the
run; what the browser complains of and every request to elsewhere is wrong too. A screenshot of each
kind of page goes to SCREENSHOTS, for people to look at.
"""

import contextlib
import functools
import http.server
import json
import pathlib
import sys
import threading

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect, sync_playwright

START = "index.html"
OVERVIEW = "huawei-csi/4.5.0/index.html"
MINOR = "huawei-csi/4.5.0/1.16/index.html"
DESK = {"width": 1280, "height": 900}
PHONE = {"width": 375, "height": 740}
# Without preload, for axe would fetch style sheets, which no page of a folder may.
AUDIT = {"resultTypes": ["violations"], "preload": False}
PAPER = {"width": 700, "height": 1000}  # A4 behind its margins
NOW = "document.documentElement"


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@contextlib.contextmanager
def origin(way, site):
    """The address of the site, served for as long as it is wanted."""
    if way == "file":
        yield site.as_uri()
        return
    handler = functools.partial(Quiet, directory=site)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


class Walk:
    """A browser, and the complaints of all its pages."""

    def __init__(self, browser, origin):
        self.browser, self.origin, self.complaints = browser, origin, []

    @contextlib.contextmanager
    def page(self, path, size=DESK, **options):
        context = self.browser.new_context(viewport=size, **options)
        page = context.new_page()
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("requestfailed", lambda request: self.complaints.append(request.url))
        context.route("**/*", self.watch)
        page.goto(f"{self.origin}/{path}")
        yield page
        context.close()
        assert not self.complaints, self.complaints

    def watch(self, route):
        if route.request.url.startswith(f"{self.origin}/"):
            route.continue_()
        else:
            self.complaints.append(f"a request to elsewhere: {route.request.url}")
            route.abort()


def fill(page, release="huawei-csi/4.5.0", kubernetes="", registry="", layout="scoped"):
    page.locator("#release").select_option(release)
    page.locator("#kubernetes").fill(kubernetes)
    page.locator("#registry").fill(registry)
    page.locator(f"input[value={layout}]").check()


def message(page):
    return page.locator("#message").text_content()


def copied(page, button):
    """What a button leaves in the clipboard."""
    page.evaluate("navigator.clipboard.writeText('')")
    button.click()
    expect(button).to_have_text("Copied")
    return page.evaluate("navigator.clipboard.readText()")


def languages(walk):
    """The switch stays on the page, and on the finder's answer."""
    with walk.page(MINOR) as page:
        page.get_by_role("link", name="简体中文").click()
        assert page.url == f"{walk.origin}/zh-cn/{MINOR}", page.url
        assert page.evaluate(f"{NOW}.lang") == "zh-CN"
        expect(page.locator("h1")).to_have_text("华为CSI 4.5.0：Kubernetes 1.16所需的容器镜像")
        page.get_by_role("link", name="English").click()
        assert page.url == f"{walk.origin}/{MINOR}", page.url
    with walk.page(START) as page:
        fill(page, kubernetes="v1.28.5+k3s1", registry="registry.example:5000", layout="flat")
        page.get_by_role("link", name="简体中文").click()
        expect(page.locator("#answer-title")).to_have_text("华为CSI 4.5.0 · Kubernetes 1.28")
        assert "registry.example:5000/csi-attacher:v3.4.0" in page.locator("#images").text_content()


def finder(walk, cases):
    """Every case has the answer that the generated script gives, or its refusal."""
    with walk.page(START) as page:
        assert message(page) == "Enter the cluster's Kubernetes version."
        for case in cases:
            fill(page, **{name: value for name, value in case.items() if name != "values"})
            shown = page.locator("#answer").is_visible()
            if case["values"] is None:
                assert not shown and message(page), case
            else:
                assert shown and not message(page), (case, message(page))
                values = page.locator("#values").text_content()
                assert values == case["values"], (case, values)


def versions(walk, cases):
    """A version is read as the command line reads it; the two refusals differ."""
    with walk.page(START) as page:
        for case in cases:
            fill(page, kubernetes=case["text"])
            minor = case["minor"]
            title = page.locator("#answer-title").text_content()
            if minor is None:
                assert "is not a Kubernetes version" in message(page), case
            elif not 16 <= int(minor.split(".")[1]) <= 30:
                told = f"Kubernetes {minor} is outside the supported range: Huawei CSI 4.5.0 supports 1.16 to 1.30."
                assert message(page) == told, (case, message(page))
            else:
                assert not message(page) and title == f"Huawei CSI 4.5.0 · Kubernetes {minor}", case
        for printed in [
            "Client Version: v1.30.1 Kustomize Version: v5.0.4 Server Version: v1.28.5+k3s1",
            'Server Version: version.Info{Major:"1", Minor:"28", GitVersion:"v1.28.5", GitCommit:"e6503f8"}',
        ]:
            fill(page, kubernetes=printed)
            expect(page.locator("#answer-title")).to_have_text("Huawei CSI 4.5.0 · Kubernetes 1.28")


def answer(walk):
    """The answer can be copied, shared as a link, and leads to the page of the minor."""
    with walk.page(START, permissions=["clipboard-read", "clipboard-write"]) as page:
        fill(page, kubernetes="1.16")
        images, values = (page.locator(f".code:has(#{name}) button") for name in ("images", "values"))
        listed = copied(page, images)
        assert listed.splitlines() == page.locator("#images").text_content().splitlines()
        assert len(listed.splitlines()) == 9 and "quay.io/k8scsi/csi-attacher:v1.2.1\n" in listed
        assert copied(page, values).startswith("# The images of huawei-csi 4.5.0 for Kubernetes 1.16\nimages:\n")
        fill(page, kubernetes="1.16", registry="registry.example/csi", layout="flat")
        link = copied(page, page.locator("#share"))
        text = page.locator("#values").text_content()
        page.locator("#steps").click()
        assert page.url == f"{walk.origin}/{MINOR}", page.url
    with walk.page(link.removeprefix(f"{walk.origin}/")) as page:
        assert page.locator("#values").text_content() == text
        assert page.locator("input[value=flat]").is_checked()


def copying(walk):
    """Every block of commands has a button, also where the browser offers no clipboard."""
    with walk.page(MINOR, permissions=["clipboard-read", "clipboard-write"]) as page:
        blocks = page.locator("main pre")
        assert blocks.count() > 10 and page.locator(".code button").count() == blocks.count()
        assert copied(page, page.locator(".code button").first) == blocks.first.text_content()
        page.evaluate("window.kept = navigator.clipboard")
        page.evaluate("kept.writeText('')")
        page.evaluate("Object.defineProperty(navigator, 'clipboard', {value: undefined, configurable: true})")
        page.locator(".code button").nth(1).click()
        expect(page.locator(".code button").nth(1)).to_have_text("Copied")
        assert page.evaluate("kept.readText()") == blocks.nth(1).text_content()


def search(walk):
    """A part of a name finds the image, on every page; keys alone do it."""
    with walk.page(OVERVIEW) as page:
        page.locator("#search").press_sequentially("PROVIS")
        expect(page.locator("#found [role=status]")).to_have_text("Images found: 2")
        found = page.locator("#found > ul > li > code").all_text_contents()
        assert sorted(found) == [
            "k8s.gcr.io/sig-storage/csi-provisioner:v3.0.0",
            "quay.io/k8scsi/csi-provisioner:v1.4.0",
        ], found
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.wait_for_url(f"{walk.origin}/{MINOR}")
    with walk.page(f"zh-cn/{START}") as page:
        page.locator("#search").fill("livenessprobe")
        page.locator("#found a", has_text="1.30").click()
        assert page.url == f"{walk.origin}/zh-cn/huawei-csi/4.5.0/1.30/index.html", page.url
        page.locator("#search").fill("no such image")
        expect(page.locator("#found")).to_have_text("没有名称包含该内容的镜像。")
        page.keyboard.press("Escape")
        expect(page.locator("#found")).to_be_hidden()


def looks(walk, shots):
    """No page breaks a rule of axe or is wider than the screen, in light and dark, on both sizes."""
    asked = "#release=huawei-csi%2F4.5.0&kubernetes=v1.28.5%2Bk3s1&registry=registry.example%3A5000"
    for scheme in ("light", "dark"):
        for size, screen in (("desk", DESK), ("phone", PHONE)):
            for name, path in (
                ("start", START + asked),
                ("start-zh", "zh-cn/" + START + asked),
                ("overview", OVERVIEW),
                ("minor", MINOR),
                ("minor-zh", "zh-cn/" + MINOR),
            ):
                with walk.page(path, screen, color_scheme=scheme) as page:
                    at = f"{name}-{size}-{scheme}"
                    page.screenshot(path=shots / f"{at}.png", full_page=True)
                    assert page.evaluate(f"{NOW}.scrollWidth") == screen["width"], at
                    page.locator("#search").fill("csi")
                    found = Axe().run(page, options=AUDIT)
                    assert not found.violations_count, (at, found.generate_report())


def paper(walk, shots):
    """On paper there are no controls, and nothing is cut off."""
    for path in (OVERVIEW, MINOR):
        with walk.page(path, PAPER) as page:
            page.emulate_media(media="print")
            cut = "[...document.querySelectorAll('.scroll, pre')].filter(e => e.scrollWidth > e.clientWidth).length"
            assert page.evaluate(cut) == 0, path
    with walk.page(OVERVIEW) as page:
        page.emulate_media(media="print")
        for hidden in ("header", "aside"):
            expect(page.locator(hidden)).to_be_hidden()
        expect(page.locator("main .matrix")).to_be_visible()
        page.pdf(path=shots / "overview.pdf", format="A4", landscape=True)


def without_scripts(walk):
    """Without JavaScript every page is still reached."""
    with walk.page(START, java_script_enabled=False) as page:
        expect(page.locator("#finder")).to_be_hidden()
        page.locator(".minors a", has_text="1.16").first.click()
        assert page.url == f"{walk.origin}/{MINOR}", page.url


def main():
    way, site, cases, shots = sys.argv[1], *map(pathlib.Path, sys.argv[2:])
    cases = json.loads(cases.read_text(encoding="utf-8"))
    with origin(way, site.resolve()) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox"]
        )
        walk = Walk(browser, address)
        languages(walk)
        finder(walk, cases["finder"])
        versions(walk, cases["versions"])
        answer(walk)
        copying(walk)
        search(walk)
        looks(walk, shots)
        paper(walk, shots)
        without_scripts(walk)
        browser.close()


main()
