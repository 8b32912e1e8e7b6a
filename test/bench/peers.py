"""rampartd beside the peers that Debian packages, on the same packets and core: testpmd io, OVS-DPDK's
connection tracking, the kernel's nft. Run by `scripts/bench.sh peers`."""
import os
import pathlib
import subprocess

import page as pattern
from connections import BY_NIC, NEW_AT_A_TIME
from established import PROTOCOLS
from lab import wait_until
from measuring import Figure, Table
from programs import CONTROL_CPU, LASTING, ROOT, WORKER_CPU, CannotMeasure, Program, Rampart, Testpmd, flows_name

PACKAGES = ("openvswitch-switch-dpdk", "nftables", "libbpf-dev", "clang", "gcc", "linux-libc-dev", "libc6-dev")
VSWITCHD = "/usr/lib/openvswitch-switch-dpdk/ovs-vswitchd-dpdk"
SIZES = (4096, 65536, 1 << 20)
CONNECTIONS = 1 << 17  # concurrent ones of the peers' row
LONG = 3600
# The demo's policy: what is established passes, web and names begin inside.
OVS_FLOWS = """\
table=0,priority=100,ip,ct_state=-trk,actions=ct(table=1)
table=1,priority=100,ip,ct_state=+trk+inv,actions=drop
table=1,priority=90,ip,in_port=1,ct_state=+trk+est,actions=output:2
table=1,priority=90,ip,in_port=2,ct_state=+trk+est,actions=output:1
table=1,priority=80,icmp,in_port=1,icmp_type=8,ct_state=+trk+new,actions=ct(commit),output:2
table=1,priority=80,tcp,in_port=2,tp_dst=22,ct_state=+trk+new,actions=ct(commit),output:1
table=1,priority=80,udp,in_port=1,tp_dst=53,ct_state=+trk+new,actions=ct(commit),output:2
table=1,priority=80,tcp,in_port=1,tp_dst=80,ct_state=+trk+new,actions=ct(commit),output:2
"""
NFT_RULES = """\
table ip bench {
  chain forward {
    type filter hook forward priority 0; policy drop;
    ct state invalid drop
    ct state established,related accept
    iifname client icmp type echo-request ct state new accept
    iifname server tcp dport 22 ct state new accept
    iifname client udp dport 53 ct state new accept
    iifname client tcp dport 80 ct state new accept
  }
}
"""


def install():
    missing = [p for p in PACKAGES if "ok installed" not in subprocess.run(
        ["dpkg-query", "-W", "-f=${Status}", p], capture_output=True, text=True).stdout]
    if not missing:
        return
    print(f"installing {' '.join(missing)}", flush=True)
    for words in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", *missing]):
        done = subprocess.run(["apt-get", *words], capture_output=True, text=True,
                              env={**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"})
    if done.returncode != 0:
        raise CannotMeasure(f"cannot install {' '.join(missing)}: {done.stderr.strip().splitlines()[-1:]}")


class Ovs(Program):
    """An instance of its own, with its own database and folders."""

    def __init__(self, plugin, directory):
        super().__init__(directory)
        self.home = directory / "ovs"
        self.home.mkdir()
        self.environment = {**os.environ, **{f"OVS_{kind}DIR": str(self.home) for kind in ("RUN", "LOG", "DB", "SYSCONF")}}
        database, socket = self.home / "conf.db", self.home / "db.sock"
        subprocess.run(["ovsdb-tool", "create", database, "/usr/share/openvswitch/vswitch.ovsschema"], check=True)
        self.server = subprocess.Popen(["ovsdb-server", database, f"--remote=punix:{socket}", "--no-chdir",
                                        f"--pidfile={self.home}/ovsdb-server.pid"], env=self.environment,
                                       stdout=self.log, stderr=self.log)
        self.database = f"unix:{socket}"
        wait_until(socket.exists, 10)
        self.vsctl("--no-wait", "init")
        self.vsctl("--no-wait", "set", "Open_vSwitch", ".", "other_config:dpdk-init=true",
                   f"other_config:pmd-cpu-mask={1 << WORKER_CPU:#x}", f"other_config:dpdk-lcore-mask={1 << CONTROL_CPU:#x}",
                   "other_config:dpdk-socket-mem=1024", f'other_config:dpdk-extra="--no-pci --in-memory -d {plugin}"')
        self.start([VSWITCHD, self.database, f"--pidfile={self.home}/ovs-vswitchd.pid", "--no-chdir",
                    f"--unixctl={self.home}/ctl"], env=self.environment)
        self.vsctl("add-br", "br0", "--", "set", "bridge", "br0", "datapath_type=netdev", "fail-mode=secure")
        (self.home / "flows").write_text(OVS_FLOWS)
        subprocess.run(["ovs-ofctl", "-O", "OpenFlow13", "add-flows", f"unix:{self.home}/br0.mgmt", self.home / "flows"],
                       check=True, env=self.environment)
        self.set_timeouts()
        self.page.begin(mode=pattern.IDLE)
        for number, device in enumerate(self.page.devices(), 1):
            self.vsctl("add-port", "br0", f"p{number}", "--", "set", "Interface", f"p{number}", "type=dpdk",
                       f"ofport_request={number}", f"options:dpdk-devargs={device}")
        self.wait_for_polls(30)
        self.appctl("dpctl/ct-set-maxconns", "8000000")

    def vsctl(self, *words, check=True):
        return subprocess.run(["ovs-vsctl", f"--db={self.database}", "--timeout=30", *words], check=check,
                              capture_output=True, text=True, env=self.environment)

    def appctl(self, *words):
        return subprocess.run(["ovs-appctl", "-t", f"{self.home}/ctl", *words], capture_output=True, text=True).stdout

    def set_timeouts(self):
        """As for rampartd: flows last, but what is closed goes after a second."""
        self.vsctl("--", "--id=@m", "create", "Datapath", "datapath_version=0", "ct_zones={}", "--", "set",
                   "Open_vSwitch", ".", "datapaths:netdev=@m", check=False)
        self.vsctl("add-zone-tp", "netdev", "zone=0", f"udp_first={LONG}", f"udp_single={LONG}", f"udp_multiple={LONG}",
                   "tcp_time_wait=1", "tcp_last_ack=1", "tcp_fin_wait=1", "tcp_close=1", check=False)

    def entries(self):
        words = self.appctl("dpctl/ct-get-nconns").split()
        return int(words[0]) if words and words[0].isdigit() else -1

    def flush(self):
        self.appctl("dpctl/flush-conntrack")

    def close(self):
        super().close()
        self.server.terminate()
        self.server.wait(10)


class Kernel:
    """nft and conntrack between two interfaces that drop what they send, in a namespace."""

    def __init__(self, setup):
        out = pathlib.Path(setup.plugin).parent
        sources = ROOT / "test/bench/kernel"
        for words in (["clang", "-O2", "-g", "-target", "bpf", "-I/usr/include/x86_64-linux-gnu", "-c",
                       sources / "source.bpf.c", "-o", out / "source.bpf.o"],
                      ["gcc", "-std=gnu11", "-O2", "-o", out / "drive", sources / "drive.c", "-lbpf"]):
            done = subprocess.run(words, capture_output=True, text=True)
            if done.returncode != 0:
                raise CannotMeasure(f"the kernel's packet source cannot be built:\n{done.stderr}")
        self.out, self.name, self.old, self.process = out, f"rpbench{os.getpid()}-nft", {}, None

    def __enter__(self):
        for key, least in (("nf_conntrack_buckets", 1 << 21), ("nf_conntrack_max", 1 << 23)):
            self.raise_sysctl(key, least)
        try:
            return self.set_up()
        except BaseException:
            self.__exit__()
            raise

    def set_up(self):
        run = subprocess.run
        run(["ip", "netns", "add", self.name], check=True)
        networks = {"client": ("10.255.255.1/30", "10.0.0.0/10", "10.255.255.2"),
                    "server": ("192.0.2.1/30", "198.18.0.0/15", "192.0.2.2")}
        for side, (address, network, gateway) in networks.items():
            for words in (f"link add {side} type ifb", f"link set {side} txqueuelen 0 arp off up",
                          f"addr add {address} dev {side}", f"route add {network} via {gateway} dev {side}",
                          f"neigh replace {gateway} lladdr 02:70:61:74:01:00 dev {side} nud permanent"):
                done = run(["ip", "-n", self.name, *words.split()], capture_output=True, text=True)
                if done.returncode != 0:
                    raise CannotMeasure(f"ip {words}: {done.stderr.strip()}")
        self.inside("sysctl", "-qw", "net.ipv4.ip_forward=1", "net.ipv4.conf.all.rp_filter=0",
                    "net.ipv4.conf.client.rp_filter=0", "net.ipv4.conf.server.rp_filter=0")
        self.inside("nft", "-f", "-", input=NFT_RULES)
        for name in ("udp_timeout", "udp_timeout_stream"):
            self.inside("sysctl", "-qw", f"net.netfilter.nf_conntrack_{name}={LONG}")
        return self

    def __exit__(self, *_):
        self.end()
        subprocess.run(["ip", "netns", "del", self.name])
        for path, value in self.old.items():
            path.write_text(value)

    def raise_sysctl(self, key, least):
        path = pathlib.Path("/proc/sys/net/netfilter") / key
        if not path.exists():
            raise CannotMeasure("the kernel has no connection tracking loaded\n    hint: modprobe nf_conntrack")
        if int(path.read_text()) < least:
            self.old[path] = path.read_text()
            path.write_text(str(least))

    def inside(self, *words, **options):
        return subprocess.run(["ip", "netns", "exec", self.name, *words], check=True, text=True,
                              capture_output=True, **options)

    def forwarded(self):
        head, values = [line.split() for line in self.inside("cat", "/proc/net/snmp").stdout.splitlines()
                        if line.startswith("Ip:")]
        return int(values[head.index("ForwDatagrams")])

    def begin(self, protocol, mode, flows, seconds):
        """Opens the flows; then window() plays them."""
        self.process = subprocess.Popen(
            ["ip", "netns", "exec", self.name, "nice", "-n", "-20", "taskset", "-c", str(WORKER_CPU), self.out / "drive",
             self.out / "source.bpf.o", "client", "server", protocol.lower(), mode, str(flows), str(seconds)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if self.process.stdout.readline() != "ready\n":
            raise CannotMeasure("the kernel's packet source does not run: BPF_PROG_TEST_RUN with live frames needs Linux 5.18")

    def window(self, tsc_hz):
        """Cycles per packet, and the share that was forwarded."""
        before = self.forwarded()
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        cpu_ns, packets = map(float, self.process.stdout.readline().split())
        return cpu_ns * tsc_hz / 1e9 / packets, (self.forwarded() - before) / packets

    def end(self):
        if self.process is not None:
            self.process.stdin.close()
            self.process.wait(30)
            self.process = None
            # Its flows go; the next ones begin in an empty table.
            subprocess.run(["ip", "netns", "exec", self.name, "conntrack", "-F"], capture_output=True)


def ratio(figure, ours):
    return f"{figure.median / ours.median:.1f}"


def measure(setup, rounds):
    install()
    columns = ("what", "flows", "protocol", "testpmd io", "rampartd", "OVS-DPDK ct", "kernel nft",
               "OVS / rampartd", "nft / rampartd", "rampartd / io")
    with Kernel(setup) as kernel:
        programs = []
        try:
            for kind, options in ((Testpmd, {}), (Rampart, {
                    "flows": 1 << 21, "conntrack": LASTING.replace(" }", ", tcp_time_wait: 1s, tcp_last_ack: 1s }")}), (Ovs, {})):
                programs.append(kind(setup.plugin, setup.directory, **options))
                programs[-1].pause()
            table = Table("Peers: total cycles per packet (or flow, or connection), median (minimum..maximum)", columns,
                          setup.out)
            for name, number in PROTOCOLS.items():
                for flows in SIZES:
                    established_row(setup, table, programs, kernel, (name, number, flows), rounds)
            for name, number in PROTOCOLS.items():
                new_row(table, programs, kernel, (name, number), rounds)
            connections_row(setup, table, programs, rounds)
            table.end()
        finally:
            for program in programs:
                program.close()
    setup.out("\nAll totals hold what making and freeing the packet costs: `io` for the first three, about as much of the kernel's own for nft "
              "(its frames come from BPF_PROG_TEST_RUN, routed between two ifb devices). OVS and nft have the same policy.")


def flush(program):
    if isinstance(program, Ovs):
        program.flush()
    elif isinstance(program, Rampart):
        program.ctl("conntrack", "-F")


def established_row(setup, table, programs, kernel, what, rounds):
    name, number, flows = what
    for program in programs:
        program.resume()
        program.idle()
        flush(program)
        program.establish(flows, protocol=number, flags=BY_NIC)
        program.pause()
    kernel.begin(name, "established", flows, setup.seconds)
    figures, problems = [Figure([]) for _ in range(4)], []
    for _ in range(rounds):
        for program, figure in zip(programs, figures):
            program.resume()
            program.window(0.1)
            cycles, sent = program.window(setup.seconds)
            program.pause()
            figure.values.append(cycles)
            if abs(sent - 1) > 1e-3:
                problems.append(f"{type(program).__name__} lost packets: {sent:.3f} came out")
        cycles, sent = kernel.window(programs[0].page.tsc_hz)
        figures[3].values.append(cycles)
        if abs(sent - 1) > 1e-2:
            problems.append(f"the kernel lost packets: {sent:.3f} came out")
    kernel.end()
    for program in programs[1:]:
        program.resume()
        program.idle()
        if program.entries() != flows:
            problems.append(f"{type(program).__name__} has {program.entries()} entries")
        program.pause()
    row(table, "established", flows_name(flows), name, figures, problems)


def row(table, what, flows, protocol, figures, problems=()):
    io, ours, ovs, nft = figures
    has_nft = bool(nft.values)
    table.row(what, flows, protocol, io, ours, ovs, nft if has_nft else "", ratio(ovs, ours),
              ratio(nft, ours) if has_nft else "", ratio(ours, io), io=io, problems=sorted(set(problems)))


def new_row(table, programs, kernel, what, rounds):
    name, number = what
    figures = [Figure([]) for _ in range(4)]
    for program in programs:
        program.resume()
        program.idle()
        flush(program)
        program.pause()
    kernel.begin(name, "new", NEW_AT_A_TIME, 0)
    for i in range(rounds):
        for program, figure in zip(programs, figures):
            program.resume()
            program.idle()
            program.page.begin(mode=pattern.NEW, protocol=number, flags=BY_NIC, budget=NEW_AT_A_TIME,
                               first=(1 << 28) + NEW_AT_A_TIME * i)
            cpu_ns, packets = program.page.finish()
            program.page.begin(mode=pattern.IDLE, first=0, budget=0)
            program.page.mark()
            program.pause()
            figure.values.append(cpu_ns * program.page.tsc_hz / 1e9 / packets)
        figures[3].values.append(kernel.window(programs[0].page.tsc_hz)[0])
    kernel.end()
    row(table, "new flows", f"{flows_name(NEW_AT_A_TIME)} at a time", name, figures)


def connections_row(setup, table, programs, rounds):
    figures = [Figure([]) for _ in range(4)]
    for program in programs:
        program.resume()
        program.idle()
        flush(program)
        program.page.begin(mode=pattern.CHURN, protocol=6, flows=CONNECTIONS, flags=BY_NIC, first=1 << 29)
        if not wait_until(lambda p=program: p.page.connections >= 2 * CONNECTIONS, 60):
            raise CannotMeasure(f"{type(program).__name__}: connections are not opened")
        program.pause()
    problems = []
    for _ in range(rounds):
        for program, figure in zip(programs, figures):
            program.resume()
            program.window(0.3)
            cycles, sent = program.window(4 * setup.seconds)
            program.pause()
            figure.values.append(6 * cycles)
            if abs(sent - 1) > 1e-3:
                problems.append(f"{type(program).__name__} lost packets: {sent:.3f} came out")
    row(table, "TCP connections, six packets each", flows_name(CONNECTIONS), "TCP", figures, problems)
