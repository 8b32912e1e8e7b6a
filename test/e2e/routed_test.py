"""Routed ports with their twins in the kernel: what runs on Linux runs on them unchanged.

    inside host  --- TAP ---  rampartd: ports and twins `inside`, `outside`  --- TAP ---  outside host
    10.77.1.2/24, fd77:1::2/64        .1, ::1             .1, ::1             10.77.2.2/24, fd77:2::2/64
"""
import os
import shutil
import time
import unittest

from lab import SIDES, Lab, run, wait_until

NETWORK = {"inside": "10.77.1", "outside": "10.77.2"}
NETWORK6 = {"inside": "fd77:1::", "outside": "fd77:2::"}
OPEN = """\
chains:
  input:
    policy: accept
    rules:
      - { id: to_box, in: [inside, outside] }
  forward:
    policy: accept
    rules:
      - { id: through, in: [inside, outside] }
  output:
    policy: accept
    rules:
      - { id: from_box, out: [inside, outside] }
"""
BIRD = """\
router id {address};
log stderr all;
protocol device {{ scan time 1; }}
protocol kernel {{ ipv4 {{ export all; }}; }}
protocol direct {{ ipv4; interface "{announced}"; }}
protocol ospf v2 {{
  ipv4 {{ import all; export all; }};
  area 0 {{ interface "{interface}" {{ type ptp; hello 1; dead 4; }}; }};
}}
"""
KEEPALIVED = """\
global_defs {{ router_id {name} }}
vrrp_instance one {{
  interface {interface}
  state BACKUP
  virtual_router_id 7
  priority {priority}
  advert_int 1
  use_vmac
  vmac_xmit_base
  virtual_ipaddress {{ 10.77.1.100/24 }}
}}
"""


def needs(*programs):
    missing = [p for p in programs if shutil.which(p, path=os.environ["PATH"] + ":/usr/sbin") is None]
    return unittest.skipIf(missing, "needs " + ", ".join(missing))


class RoutedLab(Lab):
    def __init__(self, **options):
        super().__init__("net_tap", hugepages="never", **options)

    def open(self):
        super().open()
        # A device's TAP begins in the firewall's namespace, with the address that the twin has: the
        # kernel would take that for a duplicate.
        self.box("sysctl", "-qw", "net.ipv6.conf.all.accept_dad=0",
                 "net.ipv6.conf.default.accept_dad=0")
        return self

    def configuration(self, rules=OPEN, more="", addresses=True):
        lines = ["version: 1", "interfaces:"]
        for side in SIDES:
            own = (f', address: [{NETWORK[side]}.1/24], address6: ["{NETWORK6[side]}1/64"]'
                   if addresses else "")
            lines.append(f'  {side}: {{ device: "{self.device(side)}"{own} }}')
        lines.append(f"cores: {{ workers: {self.workers}, idle: {self.idle} }}")
        lines.append(f"memory: {{ hugepages: {self.hugepages} }}")
        return "\n".join(lines) + "\n" + more + rules

    def _address_host(self, side):
        name = self.names[side]
        # The port has the address that its TAP was made with; the host is somebody else.
        run("ip", "-n", name, "link", "set", "eth0", "address", f"02:00:00:77:0{1 + SIDES.index(side)}:02")
        run("ip", "-n", name, "addr", "add", NETWORK[side] + ".2/24", "dev", "eth0")
        run("ip", "-n", name, "-6", "addr", "add", NETWORK6[side] + "2/64", "dev", "eth0", "nodad")
        run("ip", "-n", name, "link", "set", "eth0", "up")
        run("ip", "-n", name, "route", "add", "default", "via", NETWORK[side] + ".1")
        run("ip", "-n", name, "-6", "route", "add", "default", "via", NETWORK6[side] + "1")

    def box(self, *words, **options):
        """A command in the firewall's own namespace, as its administrator would type it."""
        return run("ip", "netns", "exec", self.names["firewall"], *words, **options)

    def spawn_on_box(self, *words, **options):
        self.names["box"] = self.names["firewall"]
        try:
            return self.spawn("box", *words, **options)
        finally:
            del self.names["box"]

    def way(self, address):
        return self.ctl_json("route", "get", address)


@unittest.skipUnless(os.geteuid() == 0, "network namespaces need root")
class Routed(unittest.TestCase):
    def test_packets_are_routed_delivered_and_sent(self):
        for workers in (1, 2):
            with RoutedLab(workers=workers) as lab:
                lab.start(lab.configuration())
                for network in (NETWORK["outside"] + ".", NETWORK6["outside"]):
                    with self.subTest(workers=workers, network=network):
                        # Through, to the box, and to its address on the other side.
                        self.assertTrue(wait_until(lambda: lab.ping("inside", network + "2"), 10))
                        self.assertTrue(lab.ping("inside", network + "1"))
                        self.assertEqual(lab.box("ping", "-c", "1", "-W", "2", network + "2",
                                                 check=False).returncode, 0)
                counts = lab.rule_counts()
                for rule in ("to_box", "through", "from_box"):
                    self.assertGreater(counts[rule], 0, rule)

    def test_rules_of_input_and_output_hold_for_the_box(self):
        with RoutedLab() as lab:
            lab.start(lab.configuration(OPEN.replace("{ id: to_box, in: [inside, outside] }",
                                                     "{ id: to_box, in: outside, action: drop }")))
            self.assertTrue(wait_until(lambda: lab.ping("inside", "10.77.1.1"), 10))
            self.assertFalse(lab.ping("outside", "10.77.2.1"))
            self.assertTrue(lab.ping("outside", "10.77.1.2"))

    def test_a_service_on_the_box_is_reached(self):
        with RoutedLab() as lab:
            lab.start(lab.configuration())
            (lab.directory / "www").mkdir()
            (lab.directory / "www" / "large").write_bytes(os.urandom(3_000_000))
            lab.spawn_on_box("/usr/bin/python3", "-m", "http.server", "8000", "--bind", "::",
                             "--directory", lab.directory / "www")
            for host in ("10.77.1.1", "[fd77:1::1]"):
                fetched = lab.directory / "fetched"
                self.assertTrue(wait_until(lambda: lab.host(
                    "inside", "curl", "--silent", "--fail", "--max-time", "20", "--output", fetched,
                    f"http://{host}:8000/large", check=False).returncode == 0, 30))
                self.assertEqual(fetched.read_bytes(), (lab.directory / "www" / "large").read_bytes())

    @needs("sshd", "ssh-keyscan")
    def test_sshd_runs_on_a_twin(self):
        with RoutedLab() as lab:
            lab.start(lab.configuration())
            key = lab.directory / "host_key"
            run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key)
            os.makedirs("/run/sshd", exist_ok=True)
            lab.spawn_on_box("/usr/sbin/sshd", "-D", "-e", "-p", "22", "-h", key, "-f", "/dev/null",
                             "-o", "PidFile=none")
            for address in ("10.77.1.1", "fd77:1::1"):
                self.assertTrue(wait_until(lambda: "ssh-ed25519" in lab.host(
                    "inside", "ssh-keyscan", "-T", "5", address, check=False).stdout, 20), address)

    def test_ip_route_takes_effect_at_once(self):
        with RoutedLab() as lab:
            lab.start(lab.configuration())
            waits = []
            for number in range(20):
                lab.box("ip", "route", "add", f"10.99.{number}.0/24", "via", "10.77.2.2")
                began = time.monotonic()
                self.assertTrue(wait_until(
                    lambda: lab.way(f"10.99.{number}.1")["kind"] == "unicast", 5, 0.001))
                waits.append((time.monotonic() - began) * 1000)
            print(f"\nroutes were followed after {sum(waits) / len(waits):.1f} ms on average, "
                  f"{max(waits):.1f} ms at most (with rampartctl's own start)")
            self.assertEqual(lab.way("10.99.7.1")["gateway"], "10.77.2.2")
            lab.box("ip", "route", "add", "blackhole", "10.99.7.0/25")
            self.assertTrue(wait_until(lambda: lab.way("10.99.7.1")["kind"] == "blackhole", 5))
            listed = lab.ctl_json("route", "list", "-4")["routes"]
            self.assertIn("10.99.19.0/24", [route["destination"] for route in listed])

    def test_neighbours_are_resolved_and_listed(self):
        with RoutedLab() as lab:
            lab.start(lab.configuration())
            self.assertTrue(wait_until(lambda: lab.ping("inside", "10.77.2.2"), 10))
            neighbours = {n["address"]: n for n in lab.ctl_json("neighbour")["neighbours"]}
            self.assertEqual(neighbours["10.77.2.2"]["state"], "resolved")
            self.assertEqual(neighbours["10.77.2.2"]["interface"], "outside")
            self.assertFalse(lab.ping("inside", "10.77.2.77"))
            self.assertTrue(wait_until(lambda: any(
                n["address"] == "10.77.2.77" and n["state"] == "failed"
                for n in lab.ctl_json("neighbour")["neighbours"]), 10))

    def test_a_restart_finds_the_kernel_as_it_is(self):
        with RoutedLab() as lab:
            lab.start(lab.configuration())
            self.assertTrue(wait_until(lambda: lab.ping("inside", "10.77.2.2"), 10))
            self.assertEqual(lab.stop(), 0)
            self.assertNotIn("inside:", lab.box("ip", "-o", "link").stdout)  # the twins are gone
            lab.start()
            self.assertTrue(wait_until(lambda: lab.ping("inside", "10.77.2.2"), 10))
            self.assertIn("10.77.1.1/24", lab.box("ip", "-br", "addr").stdout)

    def test_addresses_change_while_the_daemon_runs(self):
        with RoutedLab() as lab:
            text = lab.configuration()
            lab.start(text)
            changed = lab.apply(text.replace("10.77.1.1/24", "10.77.1.1/24, 10.77.5.1/24"))
            self.assertEqual(changed.returncode, 0, changed.stderr)
            self.assertTrue(wait_until(lambda: lab.ping("inside", "10.77.5.1"), 10))
            self.assertEqual(lab.apply(text, name="again.yaml").returncode, 0)
            self.assertNotIn("10.77.5.1", lab.box("ip", "-br", "addr").stdout)
            refused = lab.apply(text.replace("address6:", "kernel: elsewhere, address6:", 1),
                                name="twin.yaml")
            self.assertEqual(refused.returncode, 4)

    def test_a_name_that_is_taken_ends_the_start_with_a_hint(self):
        with RoutedLab() as lab:
            lab.box("ip", "link", "add", "inside", "type", "veth", "peer", "name", "other")
            with self.assertRaisesRegex(RuntimeError, "its twin 'inside' cannot be made"):
                lab.start(lab.configuration())

    def test_a_vlan_that_the_kernel_cannot_make_ends_the_start_with_a_hint(self):
        with RoutedLab() as lab:
            tried = lab.box("ip", "link", "add", "link", "lo", "name", "tried", "type", "vlan", "id", "30", check=False)
            if tried.returncode == 0:
                self.skipTest("this kernel has VLANs")
            guest = "  guest: { parent: inside, vlan: 30, address: [10.77.3.1/24] }\n"
            with self.assertRaisesRegex(RuntimeError, "'guest' cannot be made.*\n.*modprobe 8021q"):
                lab.start(lab.configuration().replace("cores:", guest + "cores:", 1))


@unittest.skipUnless(os.geteuid() == 0, "network namespaces need root")
class Programs(unittest.TestCase):
    @needs("udhcpc", "dnsmasq")
    def test_a_dhcp_client_gives_a_twin_its_address(self):
        with RoutedLab() as lab:
            text = lab.configuration(addresses=False).replace(
                'iface=fw-outside"', 'iface=fw-outside", address: dhcp')
            lab.start(text)
            self.assertIn("dhcp is left to the system's own clients", lab.log.read_text())
            lab.spawn("outside", "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null",
                      "--port=0", "--pid-file=", "--user=root", "--interface=eth0",
                      "--bind-interfaces", f"--dhcp-leasefile={lab.directory}/leases",
                      "--dhcp-range=10.77.2.50,10.77.2.60,1h", "--dhcp-option=3,10.77.2.2")
            script = lab.directory / "udhcpc.sh"
            script.write_text("#!/bin/sh\n[ \"$1\" = bound ] || exit 0\n"
                              "ip addr add $ip/24 dev $interface\n"
                              "ip route add default via $router\n")
            script.chmod(0o755)
            # -B: the answer to a client without an address shall be a broadcast.
            lab.box("udhcpc", "-i", "outside", "-s", script, "-n", "-q", "-B", "-t", "10", timeout=90)
            self.assertTrue(wait_until(
                lambda: lab.way("192.0.2.99").get("gateway") == "10.77.2.2", 10))
            self.assertRegex(lab.way("192.0.2.99")["source"], r"^10\.77\.2\.[56]\d$")

    @needs("bird")
    def test_bird_speaks_ospf_through_a_twin(self):
        with RoutedLab() as lab:
            lab.start(lab.configuration())
            run("ip", "-n", lab.names["outside"], "link", "add", "far", "type", "veth", "peer",
                "name", "far2")
            for name in ("far", "far2"):
                run("ip", "-n", lab.names["outside"], "link", "set", name, "up")
            run("ip", "-n", lab.names["outside"], "addr", "add", "10.88.0.1/24", "dev", "far")
            for where, interface, announced, address in (
                    ("box", "outside", "inside", "10.77.2.1"),
                    ("outside", "eth0", "far", "10.77.2.2")):
                path = lab.directory / f"bird-{where}.conf"
                path.write_text(BIRD.format(address=address, interface=interface,
                                            announced=announced))
                words = ("bird", "-f", "-c", path, "-s", lab.directory / f"bird-{where}.ctl")
                lab.spawn_on_box(*words) if where == "box" else lab.spawn(where, *words)
            self.assertTrue(wait_until(
                lambda: lab.way("10.88.0.1").get("gateway") == "10.77.2.2", 60, 0.2))
            self.assertTrue(wait_until(lambda: lab.ping("inside", "10.88.0.1"), 10))

    @needs("keepalived")
    def test_keepalived_holds_a_virtual_address_on_a_twin(self):
        with RoutedLab() as lab:
            lab.start(lab.configuration())
            path = lab.directory / "keepalived.conf"
            path.write_text(KEEPALIVED.format(name="box", interface="inside", priority=150))
            lab.spawn_on_box("keepalived", "--dont-fork", "--vrrp", "-f", path,
                             "-p", lab.directory / "ka.pid", "-r", lab.directory / "vrrp.pid")
            self.assertTrue(wait_until(lambda: lab.ping("inside", "10.77.1.100"), 30, 0.5))
            self.assertEqual(lab.way("10.77.1.100")["kind"], "local")
            # Frames to the virtual router's own link address are for the box.
            lab.host("inside", "ip", "neigh", "replace", "10.77.1.100", "lladdr",
                     "00:00:5e:00:01:07", "dev", "eth0", "nud", "permanent")
            self.assertTrue(lab.ping("inside", "10.77.1.100"))


if __name__ == "__main__":
    unittest.main()
