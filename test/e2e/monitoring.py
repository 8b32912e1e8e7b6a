"""What the tests of metrics and of the status page share: asking the daemon by HTTP, and a real Prometheus."""
import contextlib
import ctypes
import json
import os
import re
import socket
import urllib.parse

from lab import wait_until

ENDPOINT = "127.0.0.1:9482"
PROMETHEUS = "127.0.0.1:9090"
CLONE_NEWNET = 0x40000000

RULES = """\
chains:
  forward:
    policy: drop
    rules:
      - { id: established, state: [established, related], action: accept }
      - { id: ping, in: inside, proto: [icmp, icmpv6], state: new, action: accept }
      - { id: web, in: inside, proto: tcp, dport: 80, state: new, action: accept, log: { prefix: "web ", limit: 1/hour } }
      - { id: no_telnet, proto: tcp, dport: 23, action: drop }
"""


@contextlib.contextmanager
def inside_namespace(name):
    """This thread in another network namespace: its new sockets belong there."""
    libc = ctypes.CDLL(None, use_errno=True)

    def enter(path):
        with open(path) as file:
            if libc.setns(file.fileno(), CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), path)
    with open("/proc/thread-self/ns/net") as own:
        enter(f"/run/netns/{name}")
        try:
            yield
        finally:
            libc.setns(own.fileno(), CLONE_NEWNET)


def connect(lab):
    """A connection to the monitoring port, from within the firewall's namespace."""
    host, port = ENDPOINT.split(":")
    with inside_namespace(lab.names["firewall"]):
        return socket.create_connection((host, int(port)), timeout=20)


def ask(lab, request):
    """The whole answer to the given bytes: (status, headers, body)."""
    with connect(lab) as client:
        client.sendall(request)
        answer = b""
        with contextlib.suppress(ConnectionResetError):
            while piece := client.recv(65536):
                answer += piece
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    return (int(first.split()[1]) if first else None), headers, body


def fetch(lab, path, method="GET", host=ENDPOINT):
    return ask(lab, f"{method} {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())


def scrape(lab):
    """{(name, ((label, value), ...)): number} as /metrics has it."""
    status, headers, body = fetch(lab, "/metrics")
    assert status == 200 and headers["Content-Type"].startswith("text/plain; version=0.0.4"), (status, headers)
    samples = {}
    for line in body.decode().splitlines():
        if line.startswith("#"):
            continue
        name, labels, value = re.fullmatch(r"([a-z_]+)(?:\{(.*)\})? (\S+)", line).groups()
        pairs = tuple(sorted(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', labels or "")))
        samples[name, pairs] = float(value)
    return samples


class Prometheus:
    """A server in the firewall's namespace that scrapes the daemon every second."""

    def __init__(self, lab, rules):
        self.lab = lab
        directory = lab.directory / "prometheus"
        directory.mkdir()
        configuration = directory / "prometheus.yml"
        configuration.write_text(json.dumps({
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": [str(rules)],
            "scrape_configs": [{"job_name": "rampart", "static_configs": [{"targets": [ENDPOINT]}]}]}))
        self.log = open(directory / "log", "w")
        lab.spawn("firewall", "/usr/bin/prometheus", f"--config.file={configuration}",
                  f"--storage.tsdb.path={directory / 'data'}", f"--web.listen-address={PROMETHEUS}",
                  stdout=self.log, stderr=self.log)
        if not wait_until(lambda: self.query("up") == {(("instance", ENDPOINT), ("job", "rampart")): 1}, 60, 0.3):
            raise RuntimeError("Prometheus does not scrape:\n" + (directory / "log").read_text())

    def close(self):
        self.log.close()

    def api(self, path, **parameters):
        words = [word for item in parameters.items() for word in ("--data-urlencode", "=".join(item))]
        answer = self.lab.host("firewall", "curl", "-sS", "-G", *words, f"http://{PROMETHEUS}/api/v1/{path}", check=False)
        if not answer.stdout.startswith("{"):  # it is starting
            return {"status": "none"}
        return json.loads(answer.stdout)

    def query(self, expression):
        """{((label, value), ...): number} without the name of the metric; raises for what Prometheus cannot read."""
        answer = self.api("query", query=expression)
        if answer["status"] == "none":
            return None
        if answer["status"] != "success":
            raise ValueError(f"{expression}: {answer['error']}")
        result = answer["data"]["result"]
        if answer["data"]["resultType"] == "scalar":
            return {(): float(result[1])}
        return {tuple(sorted((name, value) for name, value in one["metric"].items() if name != "__name__")):
                float(one["value"][1]) for one in result}

    def by(self, label, expression):
        """The same, by the value of one label."""
        return {dict(labels)[label]: number for labels, number in (self.query(expression) or {}).items()}
