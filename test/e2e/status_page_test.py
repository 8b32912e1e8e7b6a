"""The status page in a real browser: what it shows is what rampartctl says, and nothing leaves the machine."""
import json
import os
import pathlib
import shutil
import unittest

from lab import ADDRESS4, Lab, wait_until
from metrics_test import quiet, traffic
from monitoring import ENDPOINT, RULES, fetch, inside_namespace

try:
    from selenium import webdriver
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys
except ImportError:
    webdriver = None

URL = f"http://{ENDPOINT}/"
MONITORING = "monitoring: { status_page: true }\n"
# Markup where a configuration may have any text; none of it may become part of the page.
EVIL = "<script>document.title='owned'</script><img src=x onerror=\\\"document.title='owned'\\\">"
EVIL_RULES = RULES.replace("id: ping,", f'id: ping, comment: "<b>&amp;</b>{EVIL}",')
SCREENSHOTS = os.environ.get("RAMPART_SCREENSHOTS")  # a folder to leave them in

# The least contrast between a text and what is behind it (WCAG 2.1, 1.4.3), of all texts that are shown.
CONTRAST = """
const parse = (text) => text.match(/[\\d.]+/g).map(Number);
const light = ([r, g, b]) => [r, g, b].map((c) => (c /= 255) <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
  .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
const behind = (element) => {
  for (; element; element = element.parentElement) {
    const color = parse(getComputedStyle(element).backgroundColor);
    if (color.length < 4 || color[3] === 1) return color;
  }
  return [255, 255, 255];
};
let least = [99, ""];
for (const element of document.querySelectorAll("body *")) {
  const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim() !== "");
  if (!own || element.closest("noscript, .skip") || element.getClientRects().length === 0) continue;
  const style = getComputedStyle(element);
  const text = element.namespaceURI.endsWith("svg") ? style.fill : style.color;
  const [a, b] = [light(parse(text)), light(behind(element))].sort((x, y) => y - x);
  const ratio = (a + 0.05) / (b + 0.05);
  if (ratio < least[0]) least = [ratio, element.outerHTML.slice(0, 200)];
}
return least;
"""


@unittest.skipUnless(os.geteuid() == 0, "network namespaces need root")
@unittest.skipIf(webdriver is None, "there is no Selenium (package python3-selenium)")
@unittest.skipUnless(shutil.which("chromium") and shutil.which("chromedriver"),
                     "there is no browser (packages chromium, chromium-driver)")
class StatusPage(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.lab = Lab(workers=2).__enter__()
        cls.addClassCleanup(cls.lab.__exit__, None, None, None)
        sets = "sets: { friends: { type: ip, elements: [192.0.2.1], max: 100 } }\n"
        rules = EVIL_RULES + "      - { id: friends, src: '@friends', action: accept }\n"
        cls.text = cls.lab.configuration(rules, more=MONITORING + sets)
        cls.lab.start(cls.text)
        # Browser and driver are in the firewall's namespace, as is this thread, which speaks with the driver.
        namespace = inside_namespace(cls.lab.names["firewall"])
        namespace.__enter__()
        cls.addClassCleanup(namespace.__exit__, None, None, None)
        options = webdriver.ChromeOptions()
        for word in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
                     "--disable-background-networking", "--disable-component-update", "--window-size=1280,1000",
                     "--no-proxy-server", f"--user-data-dir={cls.lab.directory / 'chromium'}"):
            options.add_argument(word)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        service = webdriver.chrome.service.Service("/usr/bin/chromedriver", log_path=str(cls.lab.directory / "chromedriver"))
        cls.browser = webdriver.Chrome(service=service, options=options)
        cls.addClassCleanup(cls.browser.quit)
        traffic(cls.lab)
        quiet(cls.lab)

    def setUp(self):
        self.browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        self.scheme("light")
        self.browser.get(URL)
        self.wait_for_news()

    # -- helpers -----------------------------------------------------------------------------------

    def wait_for_news(self, times=1):
        updates = lambda: int(self.browser.execute_script("return document.body.dataset.updates ?? 0"))
        target = updates() + times
        self.assertTrue(wait_until(lambda: updates() >= target, 30, 0.1), self.browser.get_log("browser"))

    def scheme(self, name):
        self.browser.execute_cdp_cmd("Emulation.setEmulatedMedia",
                                     {"features": [{"name": "prefers-color-scheme", "value": name}]})

    def element(self, selector):
        return self.browser.find_element(By.CSS_SELECTOR, selector)

    def number(self, selector):
        return float(self.element(selector).get_attribute("data-value"))

    def rows(self, table):
        """The cells of a table's body: the number in it where there is one, else its words."""
        return self.browser.execute_script("""
            return [...document.querySelectorAll(`#${arguments[0]} tbody tr`)].map((row) =>
              [...row.cells].map((cell) => cell.dataset.value !== undefined ? Number(cell.dataset.value) : cell.innerText))
        """, table)

    def keep_screenshot(self, name, height=None):
        if height:
            size = self.browser.execute_script("return [innerWidth, document.documentElement.scrollHeight]")
            self.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
                "width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": False})
        if SCREENSHOTS:
            self.browser.save_screenshot(str(pathlib.Path(SCREENSHOTS) / f"{name}.png"))

    # -- tests -------------------------------------------------------------------------------------

    def test_what_it_shows_is_what_the_client_says(self):
        self.wait_for_news()  # the flows were counted anew
        status, stats = self.lab.ctl_json("status"), self.lab.ctl_json("stats")
        self.assertEqual(self.element("#state").text, "ready")
        self.assertEqual(self.element("#version").text, status["version"])
        self.assertEqual(self.number("#generation"), status["generation"])
        self.assertEqual(self.number("#flows-limit"), status["flows_max"])
        self.assertTrue(wait_until(lambda: self.number("#flows") == self.lab.ctl_json("conntrack", "-C"), 30))
        self.assertEqual(self.number("#drops-total"), stats["dropped"])
        self.assertEqual(self.number("#packets-dropped"), stats["dropped"])
        drops = {row[0].split()[0]: row[1] for row in self.rows("drops")}
        self.assertEqual(drops, {reason: count for reason, count in self.lab.drops().items() if count})
        ports = {row[0]: (row[4], row[5]) for row in self.rows("ports")}
        self.assertEqual(ports, {port["name"]: (port["received_packets"], port["transmitted_packets"])
                                 for port in stats["ports"]})
        links = {port["name"]: "up" if port["link"] else "down" for port in self.lab.ctl_json("port")["ports"]}
        self.assertEqual({row[0]: row[1].split(",")[0] for row in self.rows("ports")}, links)
        shown = {row.get_attribute("data-rule"): float(row.find_elements(By.CSS_SELECTOR, ".number")[0].get_attribute("data-value"))
                 for row in self.browser.find_elements(By.CSS_SELECTOR, "#rules tbody tr")}
        self.assertEqual(shown, {rule: count for rule, count in self.lab.rule_counts().items() if count})
        self.assertEqual([row[2] for row in self.rows("rules")], sorted(shown.values(), reverse=True))
        workers = self.lab.ctl_json("workers")["workers"]
        self.assertEqual([int(row[1]) for row in self.rows("workers")], [worker["cpu"] for worker in workers])
        tables = {row[0]: (row[2], row[3]) for row in self.rows("tables")}
        self.assertEqual(tables["set friends"], (1, 100))
        self.assertEqual(tables["packet buffers"][1], status["mbufs"])
        self.assertEqual(tables["flows"][1], status["flows_max"])
        listed = {}
        for flow in self.lab.ctl_json("conntrack", "-L"):
            key = flow["proto"], flow.get("state") or ("ASSURED" if "ASSURED" in flow["status"] else
                                                       "SEEN_REPLY" if "SEEN_REPLY" in flow["status"] else "UNREPLIED")
            listed[key] = listed.get(key, 0) + 1
        counted = lambda: {(row[0], row[1]): row[3] for row in self.rows("states") if len(row) == 4}
        wait_until(lambda: counted() == listed, 20)
        self.assertEqual(counted(), listed)
        self.keep_screenshot("desktop-light", True)

    def test_a_page_that_is_opened_now_shows_the_past(self):
        history = json.loads(fetch(self.lab, "/status.json")[2])["history"]
        self.assertGreater(len(history["rows"]), 8)
        columns = history["columns"]
        received = [row[columns.index("received")] for row in history["rows"]]
        self.assertGreater(max(received), 0, "the transfers from before the page was opened")
        points = self.browser.execute_script(
            "return [...document.querySelectorAll('#packets polyline.first')].map((one) => one.points.length)")
        self.assertGreaterEqual(sum(points), 8)
        label = self.element("#throughput").get_attribute("aria-label")
        self.assertRegex(label, r"Throughput in the last ten minutes: received .*, at most [\d.]+ [kMG]?bit/s; transmitted")

    def test_names_of_the_configuration_stay_text(self):
        self.assertEqual(self.browser.title, "Rampart")
        images = self.browser.find_elements(By.CSS_SELECTOR, "main img, main b, main script, #rules script")
        self.assertEqual(images, [])
        text = self.element("#rules").text
        self.assertIn("<b>&amp;</b><script>document.title='owned'</script><img src=x onerror=", text)

    def test_nothing_leaves_the_server_and_nothing_is_wrong(self):
        self.wait_for_news(2)
        asked = set()
        for entry in self.browser.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                asked.add(message["params"]["request"]["url"])
        self.assertTrue({URL, URL + "status.json", URL + "status.js", URL + "status.css"} <= asked, asked)
        strangers = {url for url in asked if not url.startswith((URL, "data:", "chrome:", "about:"))}
        self.assertEqual(strangers, set())
        self.assertEqual([entry for entry in self.browser.get_log("browser")
                          if entry["level"] in ("WARNING", "SEVERE") and "status.json" not in entry["message"]], [])

    def test_the_server_tells_the_browser_to_be_careful(self):
        for path in ("/", "/status.js", "/status.css", "/status.json", "/icon.svg"):
            status, headers, _ = fetch(self.lab, path)
            self.assertEqual(status, 200, path)
            self.assertIn("default-src 'none'; script-src 'self';", headers["Content-Security-Policy"])
            self.assertIn("frame-ancestors 'none'", headers["Content-Security-Policy"])
            self.assertEqual(headers["X-Content-Type-Options"], "nosniff")
        html = fetch(self.lab, "/")[2].decode()
        self.assertNotRegex(html, r"<script(?![^>]* src=)|<style|\son\w+=|\sstyle=")
        blocked = self.browser.execute_async_script("""
            const done = arguments[0];
            const script = document.createElement("script");
            script.textContent = "document.title = 'owned'";
            document.addEventListener("securitypolicyviolation", (event) => done(event.violatedDirective), { once: true });
            document.head.append(script);
            setTimeout(() => done("nothing"), 5000);
        """)
        self.assertEqual(blocked, "script-src-elem")
        self.browser.get_log("browser")  # has told of it

    def test_it_fits_a_phone(self):
        self.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": 390, "height": 844, "deviceScaleFactor": 2, "mobile": True})
        self.wait_for_news()
        wide = self.browser.execute_script("""
            return [...document.querySelectorAll("body *")].filter((element) => !element.closest(".scroll, .skip, svg") &&
              element.getBoundingClientRect().right > document.documentElement.clientWidth + 0.5).map((one) => one.outerHTML.slice(0, 99))""")
        self.assertEqual(wide, [])
        self.assertLessEqual(*self.browser.execute_script(
            "return [document.documentElement.scrollWidth, document.documentElement.clientWidth]"))
        if SCREENSHOTS:
            height = self.browser.execute_script("return document.documentElement.scrollHeight")
            self.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
                "width": 390, "height": height, "deviceScaleFactor": 1, "mobile": True})
            self.keep_screenshot("phone")

    def test_it_is_legible_by_day_and_by_night(self):
        backgrounds = set()
        for name in ("light", "dark"):
            self.scheme(name)
            self.wait_for_news()
            ratio, where = self.browser.execute_script(CONTRAST)
            self.assertGreaterEqual(ratio, 4.5, f"{name}: {where}")
            backgrounds.add(self.browser.execute_script("return getComputedStyle(document.body).backgroundColor"))
        self.assertEqual(len(backgrounds), 2)
        self.keep_screenshot("desktop-dark", True)

    def test_it_needs_neither_mouse_nor_eyes(self):
        chart = self.element("#packets")
        chart.send_keys(Keys.ARROW_LEFT, Keys.ARROW_LEFT)
        self.assertRegex(chart.get_attribute("aria-label"), r"^Packets at \d\d:\d\d:\d\d: forwarded .* pps")
        chart.send_keys(Keys.TAB)
        self.assertRegex(chart.get_attribute("aria-label"), "^Packets in the last ten minutes")
        unnamed = self.browser.execute_script("""
            return [...document.querySelectorAll("table")].filter((table) => !table.tHead ||
              [...table.tHead.rows[0].cells].some((cell) => cell.scope !== "col")).map((table) => table.id)""")
        self.assertEqual(unnamed, [])
        self.assertEqual(self.element("html").get_attribute("lang"), "en")
        self.assertEqual(self.element("#state").get_attribute("role"), "status")

    def test_changes_of_the_configuration_are_listed(self):
        before = self.lab.ctl_json("status")["generation"]
        self.assertEqual(self.lab.apply(self.text.replace("policy: drop", "policy: dorp"), name="wrong.yaml").returncode, 4)
        self.assertEqual(self.lab.apply(self.text.replace("id: friends,", "id: friends_too,")).returncode, 0)
        self.wait_for_news(2)
        newest, wrong = self.rows("changes")[:2]
        self.assertIn("edited.yaml", newest[1])
        self.assertEqual(newest[2:], ["active", before + 1])
        self.assertIn("wrong.yaml", wrong[1])
        self.assertEqual(wrong[2:], ["refused", "-"])
        self.assertEqual(self.number("#generation"), before + 1)

    def test_z_a_daemon_that_ends_is_seen(self):
        """Last, by its name: afterwards there is nothing to look at."""
        self.assertEqual(self.lab.stop(), 0)
        self.assertTrue(wait_until(lambda: self.element("#state").text.startswith("no answer since"), 30))
        self.assertIn("stale", self.element("body").get_attribute("class"))


if __name__ == "__main__":
    unittest.main()
