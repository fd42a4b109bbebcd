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
import re
import sys
import threading
import urllib.parse

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
        page.wait_for_url(f"{walk.origin}/zh-cn/{MINOR}")
        assert page.evaluate(f"{NOW}.lang") == "zh-CN"
        expect(page.locator("h1")).to_have_text("华为CSI 4.5.0：Kubernetes 1.16所需的容器镜像")
        page.get_by_role("link", name="English").click()
        page.wait_for_url(f"{walk.origin}/{MINOR}")
    with walk.page(START) as page:
        fill(page, kubernetes="v1.28.5+k3s1", registry="registry.example:5000", layout="flat")
        page.get_by_role("link", name="简体中文").click()
        expect(page.locator("#answer-title")).to_have_text("华为CSI 4.5.0 · Kubernetes 1.28")
        assert "registry.example:5000/csi-attacher:v3.4.0" in page.locator("#images").text_content()


def finder(walk, cases):
    """Every case has the answer that the generated script gives, or its refusal, with the same mend."""
    mends = set()
    with walk.page(START) as page:
        assert message(page) == "Enter the cluster's Kubernetes version."
        for case in cases:
            fill(page, *(case[name] for name in ("release", "kubernetes", "registry", "layout")))
            shown = page.locator("#answer").is_visible()
            if case["values"] is None:
                told = message(page)
                assert not shown and told, case
                mend = re.search(r"use --layout (\w+)|(cannot hold these images either)", case["refusal"])
                if mend:
                    wanted = f"Choose the {mend[1]} layout." if mend[1] else mend[2]
                    assert wanted in told, (case, told)
                    mends.add(wanted)
            else:
                assert shown and not message(page), (case, message(page))
                for name in ("values", "images"):
                    answer = page.locator(f"#{name}").text_content()
                    wanted = case[name] if name == "values" else "".join(f"{image}\n" for image in case[name])
                    assert answer == wanted, (case, answer)
                expect(page.locator("#apart-part")).to_be_hidden()
    assert len(mends) == 3, mends


def releases(walk, site):
    """Products by name, each with its newest release first: in the finder, the search and the pages."""
    with walk.page(START) as page:
        wanted = ["Example CSI 1.10.0", "Example CSI 1.9.0", "Example CSI 1.0.0"]
        # By versions, not by letters: 4.9.0 is before 4.10.0.
        versions = [folder.name for folder in (site / "huawei-csi").iterdir() if folder.is_dir()]
        versions.sort(key=lambda version: [int(part) for part in version.split(".")], reverse=True)
        assert versions == ["4.5.0"], versions
        wanted += [f"Huawei CSI {version}" for version in versions]
        assert page.locator("#release option").all_text_contents() == wanted
        expect(page.locator("#release")).to_have_value("example/1.10.0")
        assert page.locator(".all h3").all_text_contents() == wanted
        page.locator("#search").fill("quay.io/example/helper")
        found = page.locator("#found > ul > li > .hint").all_text_contents()
        assert found == [f"{release} · feature" for release in wanted[:3]], found


def links(walk):
    """A link shows the answer that it was made for, or says what it cannot; never a part of another."""
    def show(page, **parts):
        page.evaluate("hash => { location.hash = hash }", urllib.parse.urlencode(parts))

    with walk.page(START) as page:
        show(page, release="huawei-csi/4.5.0", kubernetes="1.28", registry="registry.example", layout="flat")
        expect(page.locator("#images")).to_contain_text("registry.example/csi-attacher:v3.4.0\n")
        # The skip link changes the address, and nothing of the choice.
        page.locator(".skip").focus()
        page.keyboard.press("Enter")
        page.wait_for_url(re.compile("#content$"))
        expect(page.locator("#images")).to_contain_text("registry.example/csi-attacher:v3.4.0\n")
        href = page.get_by_role("link", name="简体中文").get_attribute("href")
        assert href.endswith("#release=huawei-csi%2F4.5.0&kubernetes=1.28&registry=registry.example&layout=flat"), href
        show(page, release="huawei-csi/4.5.0", kubernetes="1.28", layout="scoped")
        expect(page.locator("#images")).to_contain_text("k8s.gcr.io/sig-storage/csi-attacher:v3.4.0\n")
        expect(page.locator("#registry")).to_have_value("")
        expect(page.locator("input[value=scoped]")).to_be_checked()
        show(page, release="huawei-csi/9.9.9", kubernetes="1.28")
        expect(page.locator("#message")).to_have_text(
            "This site has no release “huawei-csi/9.9.9”. Choose one above."
        )
        expect(page.locator("#answer")).to_be_hidden()
        page.locator("#release").select_option("huawei-csi/4.5.0")
        expect(page.locator("#answer-title")).to_have_text("Huawei CSI 4.5.0 · Kubernetes 1.28")
        show(page)
        expect(page.locator("#release")).to_have_value("example/1.10.0")
        expect(page.locator("#message")).to_have_text("Enter the cluster's Kubernetes version.")


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
    # Pasted, for a field of one line runs the lines together.
    with walk.page(START, permissions=["clipboard-read", "clipboard-write"]) as page:
        client = "Client Version: v1.30.1\nKustomize Version: v5.0.4-0.20230601165947-6ce0bf390ce3\n"
        warning = "WARNING: version difference between client (1.30) and server (1.28) exceeds the supported minor version skew of +/-1\n"
        go = 'version.Info{Major:"1", Minor:"28", GitVersion:"v1.28.5", GitCommit:"e6503f8", GoVersion:"go1.20.12"}\n'
        for printed in [
            f"{client}Server Version: v1.28.5\n{warning}",
            f"{client}Server Version: v1.28.5+k3s1\n{warning}",
            f"{warning}{client}Server Version: v1.28.5-gke.1200\n",
            f"Client Version: {go.replace('28', '30')}Server Version: {go}",
        ]:
            fill(page)
            page.evaluate("text => navigator.clipboard.writeText(text)", printed)
            page.locator("#kubernetes").focus()
            page.keyboard.press("Control+V")
            expect(page.locator("#answer-title")).to_have_text("Huawei CSI 4.5.0 · Kubernetes 1.28")
            expect(page.locator("#answer")).to_be_visible()
        # Without an answer of the server there is no version of the cluster.
        fill(page, kubernetes=client)
        assert "is not a Kubernetes version" in message(page)


def answer(walk, site):
    """The answer can be copied, shared as a link, and leads to the page of the minor."""
    with walk.page(START, permissions=["clipboard-read", "clipboard-write"]) as page:
        fill(page, kubernetes="1.16")
        button = lambda name: page.locator(f".code:has(#{name}) button")
        generated = lambda name: (site / MINOR).with_name(name).read_text(encoding="utf-8")
        # What is in no registry stands apart.
        images, apart = (copied(page, button(name)) for name in ("images", "apart"))
        assert "/" not in apart and "huawei-csi:4.5.0\n" in apart, apart
        assert all("/" in image for image in images.splitlines()), images
        assert sorted((images + apart).splitlines()) == generated("images.txt").splitlines()
        # Without a registry, the file of the version with all that the version forces.
        expect(page.locator("#values-title")).to_have_text("Helm values: values.yaml")
        assert copied(page, button("values")) == generated("values.yaml")
        steps = page.locator("#steps").get_attribute("href")
        first = copied(page, button("install"))
        # A command that removes something says what and why; where there is none, nothing is said.
        expect(page.locator("#removed dt")).to_have_text("crds/snapshot-crds")
        expect(page.locator("#removed dd")).to_contain_text("Volume snapshots need Kubernetes 1.17 or later")
        fill(page, kubernetes="1.17")
        expect(page.locator("#removed-part")).to_be_hidden()
        expect(page.locator("#values-first")).to_be_hidden()
        # With one, the images alone, which Helm takes behind that file.
        fill(page, kubernetes="1.16", registry="registry.example/csi", layout="flat")
        expect(page.locator("#values-title")).to_have_text("Helm values: values-mirror.yaml")
        expect(page.locator("#values-first")).to_be_visible()
        second = copied(page, button("install"))
        file = page.locator("#values-file").get_attribute("href")
        assert file == steps.replace("index.html", "values.yaml")
        assert (site / file.removeprefix(f"{walk.origin}/")).is_file(), file
        link = copied(page, page.locator("#share"))
        text = page.locator("#values").text_content()
        page.locator("#steps").click()
        page.wait_for_url(f"{walk.origin}/{MINOR}")
        # The commands are the page's.
        blocks = page.locator("main pre").all_text_contents()
        for shown in (first, second):
            *before, install = shown.splitlines()
            assert install in blocks and "\n".join(before) in blocks, (shown, blocks)
    with walk.page(link.removeprefix(f"{walk.origin}/")) as page:
        assert page.locator("#values").text_content() == text
        assert page.locator("input[value=flat]").is_checked()


def copying(walk):
    """Every block of commands has a button, also where the browser offers no clipboard."""
    with walk.page(MINOR, permissions=["clipboard-read", "clipboard-write"]) as page:
        blocks = page.locator("main pre")
        assert blocks.count() > 10 and page.locator(".code button").count() == blocks.count()
        assert copied(page, page.locator(".code button").first) == blocks.first.text_content()
        expect(page.locator("#status")).to_have_text("Copied")
        page.evaluate("window.kept = navigator.clipboard")
        refusing = "{writeText: () => Promise.reject(new DOMException('', 'NotAllowedError'))}"
        for place, clipboard in enumerate(["undefined", refusing], 1):
            page.evaluate("kept.writeText('')")
            page.evaluate(f"Object.defineProperty(navigator, 'clipboard', {{value: {clipboard}, configurable: true}})")
            button = page.locator(".code button").nth(place)
            button.press("Enter")
            expect(button).to_have_text("Copied")
            expect(button).to_be_focused()
            assert page.evaluate("kept.readText()") == blocks.nth(place).text_content()
        # And where nothing helps, nobody is told that it is copied.
        page.evaluate("document.execCommand = () => false")
        button.press("Enter")
        expect(button).to_have_text("Not copied: select the text instead")
        expect(page.locator("#status")).to_have_text("Not copied: select the text instead")
        assert page.locator("textarea").count() == 0


def search(walk):
    """A part of a name finds the image, on every page; keys alone do it."""
    with walk.page(OVERVIEW) as page:
        page.locator("#search").press_sequentially("PROVIS")
        expect(page.locator("#found > p")).to_have_text(re.compile("^Images found: "))
        found = page.locator("#found > ul > li > code").all_text_contents()
        for element in ("#found > p", "#status"):
            expect(page.locator(element)).to_have_text(f"Images found: {len(found)}")
        assert all("provisioner" in image for image in found), found
        assert {
            "k8s.gcr.io/sig-storage/csi-provisioner:v3.0.0",
            "quay.io/k8scsi/csi-provisioner:v1.4.0",
        } <= set(found), found
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.wait_for_url(re.compile("/huawei-csi/[0-9.]+/1[.][0-9]+/index.html$"))
    with walk.page(f"zh-cn/{START}") as page:
        page.locator("#search").fill("livenessprobe")
        page.locator("#found a", has_text="1.30").first.click()
        page.wait_for_url(re.compile("/zh-cn/huawei-csi/[0-9.]+/1[.]30/index.html$"))
        page.locator("#search").fill("no such image")
        expect(page.locator("#found")).to_have_text("未找到名称中包含该内容的镜像。")
        expect(page.locator("#status")).to_have_text("未找到名称中包含该内容的镜像。")
        page.keyboard.press("Escape")
        expect(page.locator("#found")).to_be_hidden()
    with walk.page(OVERVIEW) as page:
        # What is in no registry does not look as if it could be pulled.
        page.locator("#search").fill("csi")
        for image in page.locator("#found > ul > li").all():
            marks = image.locator(".mark").all_text_contents()
            wanted = [] if "/" in image.locator("code").text_content() else ["software package"]
            assert marks == wanted, image.text_content()
        # Escape goes back to the field; whoever goes on leaves the panel behind.
        page.locator("#found a").first.focus()
        page.keyboard.press("Escape")
        expect(page.locator("#found")).to_be_hidden()
        expect(page.locator("#search")).to_be_focused()
        page.locator("#search").fill("attacher")
        page.locator("#found a").last.focus()
        page.keyboard.press("Tab")
        expect(page.locator("#found")).to_be_hidden()


def keyboard(walk):
    """Keys alone lead past the header, through the finder, and to what is to be copied."""
    focused = lambda: page.evaluate("document.activeElement.id || document.activeElement.textContent.trim()")

    def tab(to):
        for _ in range(40):
            page.keyboard.press("Tab")
            if focused() == to:
                shown = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
                assert shown != "none", f"nobody sees that {to} has the focus"
                return
        raise AssertionError(f"no Tab leads to {to}")

    with walk.page(START, permissions=["clipboard-read", "clipboard-write"]) as page:
        page.keyboard.press("Tab")
        assert focused() == "Skip to the content"
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        assert focused() == "release", focused()
        page.keyboard.type("Huawei")
        tab("kubernetes")
        page.keyboard.type("1.28")
        tab("registry")
        page.keyboard.type("registry.example:5000")
        page.keyboard.press("Tab")
        page.keyboard.press("ArrowDown")
        expect(page.locator("input[value=flat]")).to_be_checked()
        tab("share")
        tab("Copy")
        page.keyboard.press("Enter")
        expect(page.locator("#status")).to_have_text("Copied")
        assert "registry.example:5000/csi-attacher:v3.4.0\n" in page.evaluate("navigator.clipboard.readText()")
        assert focused() == "Copied", focused()


def looks(walk, shots):
    """No page breaks a rule of axe or is wider than the screen, in light and dark, on both sizes."""
    asked = "#release=huawei-csi%2F4.5.0&kubernetes=v1.28.5%2Bk3s1&registry=registry.example%3A5000"
    forced = "#release=huawei-csi%2F4.5.0&kubernetes=1.16"
    wrong = "#release=huawei-csi%2F4.5.0&kubernetes=1.99"
    pages = (
        ("start", START + asked),
        ("start-zh", "zh-cn/" + START + asked),
        ("start-forced", START + forced),
        ("start-empty", START),
        ("start-wrong", START + wrong),
        ("product", "huawei-csi/index.html"),
        ("product-zh", "zh-cn/huawei-csi/index.html"),
        ("overview", OVERVIEW),
        ("overview-zh", "zh-cn/" + OVERVIEW),
        ("minor", MINOR),
        ("minor-zh", "zh-cn/" + MINOR),
        ("example", "example/1.0.0/index.html"),
        ("example-minor", "example/1.0.0/1.19/index.html"),
    )
    # No color depends on the size.
    for size, screen, scheme in (("desk", DESK, "light"), ("desk", DESK, "dark"), ("phone", PHONE, "light")):
        for name, path in pages:
            with walk.page(path, screen, color_scheme=scheme) as page:
                at = f"{name}-{size}-{scheme}"
                page.screenshot(path=shots / f"{at}.png", full_page=True)
                assert page.evaluate(f"{NOW}.scrollWidth") == screen["width"], at
                audit(page, at)
                # The search is the same on every page.
                if name in ("start", "overview-zh", "minor"):
                    page.locator("#search").fill("csi")
                    audit(page, f"{at}-search")
                    page.screenshot(path=shots / f"{at}-search.png")


def audit(page, at):
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
        page.wait_for_url(f"{walk.origin}/{MINOR}")


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
        releases(walk, site)
        links(walk)
        answer(walk, site)
        copying(walk)
        search(walk)
        keyboard(walk)
        # How a page looks does not depend on where it comes from.
        if way == "file":
            looks(walk, shots)
            paper(walk, shots)
        without_scripts(walk)
        browser.close()


main()
