"""The demonstration's second chapter: config/gateway.yaml between a home and the internet, with real clients.

    home: 192.168.10.2, web server .20, ssh server .21  --- lan0 .1  rampartd  wan0 203.0.113.1 ---  internet: 203.0.113.2

Of the shipped file only the devices are replaced; the guests' VLAN becomes a port of its own. The address of wan0,
which the file leaves to a DHCP client, is given to its kernel twin by `ip`.
"""
import os
import re

from lab import ROOT, run, wait_until
from routed_test import RoutedLab

BOX_LAN, BOX_WAN = "192.168.10.1", "203.0.113.1"
HOME, WEB, SSH = "192.168.10.2", "192.168.10.20", "192.168.10.21"
INTERNET = "203.0.113.2"
ANSWERED = {True: "answered", False: "no answer"}


class GatewayLab(RoutedLab):
    def __init__(self):
        super().__init__()
        self.tag += "g"  # beside the first chapter's lab
        self.names = {side: f"{self.tag}-{side}" for side in self.names if side != "firewall"}
        self.names["firewall"] = f"{self.tag}-fw"

    def configuration(self):
        text = (ROOT / "config/gateway.yaml").read_text()
        for shipped, here in (('device: "0000:01:00.0"', f'device: "{self.device("outside")}"'),
                              ('device: "0000:01:00.1"', f'device: "{self.device("inside")}"'),
                              ("parent: lan0, vlan: 30", 'device: "vdev:net_tap2,iface=fw-guest"')):
            if shipped not in text:
                raise RuntimeError(f"config/gateway.yaml has no '{shipped}' any more")
            text = text.replace(shipped, here)
        return text + "cores: { workers: 1, idle: sleep }\nmemory: { hugepages: never }\n"

    def _address_host(self, side):
        name = self.names[side]
        own = [HOME, WEB, SSH] if side == "inside" else [INTERNET]
        run("ip", "-n", name, "link", "set", "eth0", "address",
            "02:00:00:77:01:02" if side == "inside" else "02:00:00:77:02:02")
        for address in own:
            run("ip", "-n", name, "addr", "add", address + "/24", "dev", "eth0")
        run("ip", "-n", name, "link", "set", "eth0", "up")
        run("ip", "-n", name, "route", "add", "default", "via", BOX_LAN if side == "inside" else BOX_WAN)


class Gateway:
    """`demo` prints and counts."""

    def __init__(self, demo, lab):
        self.demo, self.lab = demo, lab
        self.files = lab.directory / "files"
        self.files.mkdir()
        (self.files / "file").write_bytes(os.urandom(1_000_000))

    def play(self):
        lab = self.lab
        lab.start(lab.configuration())
        lab.box("ip", "addr", "add", BOX_WAN + "/24", "dev", "wan0")
        lab.box("ip", "route", "add", "default", "via", INTERNET)
        self.demo.title("A home gateway: config/gateway.yaml")
        there = wait_until(lambda: lab.ping("inside", BOX_LAN) and lab.ping("outside", BOX_WAN), 10)
        self.demo.step("ping the box from home, and from the internet", "answered", ANSWERED[there])
        for case in (self.masquerade, self.forwarded, self.hairpin, self.ftp, self.ssh, self.sight):
            case()

    # -- what the cases use ------------------------------------------------------------------------

    def fetch(self, side, *words):
        """What curl gets: the file, or not."""
        got = self.lab.directory / "got"
        got.unlink(missing_ok=True)
        done = self.lab.host(side, "curl", "-sS", "-m", "5", "-o", got, *words, check=False)
        if done.returncode != 0 or not got.exists():
            return "no answer"
        return "the file" if got.read_bytes() == (self.files / "file").read_bytes() else "something else"

    def serve_web(self, side, port):
        """Returns the file in which the server notes its clients."""
        log = self.lab.directory / f"web-{side}-{port}.log"
        with log.open("w") as output:
            self.lab.spawn(side, "/usr/bin/python3", "-u", "-m", "http.server", port, "--directory", self.files,
                           stderr=output)
        if not self.lab.listening(side, port):
            raise RuntimeError(f"no web server on port {port}")
        return log

    def client_in(self, log):
        """Whom the web server's last request came from."""
        clients = re.findall(r"^(\S+) - - ", log.read_text(), re.MULTILINE)
        return clients[-1] if clients else "nobody"

    def serve_ssh(self, where):
        """Returns the server's public key, and the client's private one."""
        lab, directory = self.lab, self.lab.directory
        for name in (f"host-{where}", "client"):
            if not (directory / name).exists():
                run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", directory / name)
        os.makedirs("/run/sshd", exist_ok=True)
        words = ["/usr/sbin/sshd", "-D", "-e", "-p", "22", "-h", directory / f"host-{where}", "-f", "/dev/null",
                 "-o", "PidFile=none", "-o", "StrictModes=no", "-o", "UsePAM=yes", "-o", "PermitRootLogin=yes",
                 "-o", f"AuthorizedKeysFile={directory / 'client.pub'}"]
        lab.spawn_on_box(*words) if where == "box" else lab.spawn(where, *words)
        return (directory / f"host-{where}.pub").read_text().split()[1], directory / "client"

    def key_at(self, side, address, port):
        seen = self.lab.host(side, "ssh-keyscan", "-T", "3", "-p", port, address, check=False).stdout
        return next((line.split()[2] for line in seen.splitlines() if "ssh-ed25519" in line), None)

    # -- the cases ---------------------------------------------------------------------------------

    def masquerade(self):
        self.demo.title("Masquerade: everybody at home has the address of wan0")
        log = self.serve_web("outside", 80)
        self.demo.step("fetch a file from the internet", "the file",
                       self.fetch("inside", f"http://{INTERNET}/file"))
        self.demo.step("the server's client", BOX_WAN, self.client_in(log))
        flows = self.lab.flows(src=HOME, dst=INTERNET, dport=80)
        self.demo.step("the flow's answers come to", BOX_WAN,
                       flows[0]["reply"]["dst"] if flows else "there is no flow")

    def forwarded(self):
        self.demo.title("A forwarded port, and those that are not")
        self.web = self.serve_web("inside", 80)
        self.demo.step(f"from the internet, port 80 of {BOX_WAN}", "the file",
                       self.fetch("outside", f"http://{BOX_WAN}/file"))
        self.demo.step("the server's client", INTERNET, self.client_in(self.web))
        self.serve_web("inside", 8080)
        self.demo.step("port 8080 (a service answers there at home)", "no answer",
                       self.fetch("outside", f"http://{BOX_WAN}:8080/file"))
        self.demo.step(f"the web server under its own address {WEB}", "no answer",
                       self.fetch("outside", f"http://{WEB}/file"))

    def hairpin(self):
        self.demo.title("Hairpin: the forwarded port works from home, too")
        before = self.lab.rule_counts().get("fw-pf", 0)
        self.demo.step(f"from home, port 80 of {BOX_WAN}", "the file",
                       self.fetch("inside", f"http://{BOX_WAN}/file"))
        self.demo.step("packets that began a flow to a forwarded port", "1",
                       str(self.lab.rule_counts()["fw-pf"] - before))
        self.demo.step("the server's client, so that the answer comes back this way", BOX_LAN,
                       self.client_in(self.web))

    def ftp(self):
        self.demo.title("FTP, active: the server connects back, through the translation")
        self.lab.spawn("outside", "/usr/bin/python3", "-m", "pyftpdlib", "-i", INTERNET, "-p", "21",
                       "-d", self.files)
        if not self.lab.listening("outside", 21):
            raise RuntimeError("no FTP server")
        before = self.lab.rule_counts()["fw-ftp"]
        self.demo.step("fetch a file, the client says PORT", "the file",
                       self.fetch("inside", "-P", "-", "--disable-eprt", f"ftp://{INTERNET}/file"))
        self.demo.step("connections that the helper expected, accepted by rule 'fw-ftp'", "1",
                       str(self.lab.rule_counts()["fw-ftp"] - before))
        data = [flow for flow in self.lab.flows(src=INTERNET, proto="tcp") if "master" in flow]
        self.demo.step("the data connection came to, and went to", f"{BOX_WAN}, {HOME}",
                       f"{data[0]['orig']['dst']}, {data[0]['reply']['src']}" if data else "there is none")

    def ssh(self):
        self.demo.title("SSH to the box itself: sshd runs on the kernel twins")
        key, client = self.serve_ssh("box")
        wait_until(lambda: self.key_at("inside", BOX_LAN, 22) is not None, 10)
        logged_in = self.lab.host(
            "inside", "ssh", "-i", client, "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
            "-o", "BatchMode=yes", "-o", "ConnectTimeout=5", f"root@{BOX_LAN}", "ip -br addr show wan0", check=False)
        self.demo.step("ssh from home, `ip -br addr show wan0`", f"has {BOX_WAN}",
                       f"has {BOX_WAN}" if BOX_WAN in logged_in.stdout else f"nothing: {logged_in.stderr.strip()}")
        self.demo.step("its key from the internet, port 22", "no answer",
                       ANSWERED[self.key_at("outside", BOX_WAN, 22) is not None])
        inner, _ = self.serve_ssh("inside")
        wait_until(lambda: self.key_at("inside", SSH, 22) is not None, 10)
        seen = self.key_at("outside", BOX_WAN, 2222)
        names = {key: "the box", inner: "the server at home", None: "nobody"}
        self.demo.step("whose key the internet sees on port 2222", "the server at home",
                       names.get(seen, "somebody else"))

    def sight(self):
        self.demo.title("What the gateway saw")
        for words in (("list", "nat.prerouting", "-v", "-n"),
                      ("list", "nat.postrouting", "-v", "-n"), ("conntrack", "-L", "-p", "tcp"), ("route",)):
            self.demo.show(*words, lab=self.lab)
        counts = self.lab.rule_counts()
        used = [rule for rule in ("web", "web.hairpin", "ssh-inside", "lan-out") if counts.get(rule, 0) == 0]
        self.demo.step("rules of nat that translated nothing", "none", ", ".join(used) or "none")


def play(demo):
    """The whole chapter, in a lab of its own."""
    with GatewayLab() as lab:
        try:
            Gateway(demo, lab).play()
        except Exception as error:  # a broken lab is a failed step, with the daemon's last words
            demo.step("the gateway's lab", "works", f"{type(error).__name__}: {error}")
            if lab.log.exists():
                print(lab.log.read_text()[-3000:])
        status = lab.stop()
        demo.step("SIGTERM stops the gateway", "exit status 0", f"exit status {status}")
