"""scripts/bind-nics.sh against a machine that is made up: its sysfs, its routes, its binding tools."""
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "scripts/bind-nics.sh"
INTEL, MELLANOX = "0x8086", "0x15b3"
ETHERNET, DISK = "0x020000", "0x010802"
# Stand-ins for the tools, which do to the made-up sysfs what the real ones do to the real one.
TOOLS = {
    "ip": """
case "$*" in
    *"-4 route show table all default") cat "$FAKE/default4" ;;
    *"-6 route show table all default") cat "$FAKE/default6" ;;
    *"addr show to "*) grep -F " ${!#}/" "$FAKE/addresses" || true ;;
    *"route get "*) grep -F "${!#} " "$FAKE/ways" || true ;;
    *"route show table main dev "*) grep "^${!#} " "$FAKE/routes" || true ;;
esac""",
    "dpdk-devbind.py": """
echo "dpdk-devbind.py $*" >>"$FAKE/calls"
for word; do case $word in 0000:*)
    rm -f "$SYSFS/bus/pci/devices/$word/driver"
    [ -e "$FAKE/broken" ] || ln -s "$SYSFS/bus/pci/drivers/vfio-pci" "$SYSFS/bus/pci/devices/$word/driver"
esac; done""",
    "driverctl": """
echo "driverctl $*" >>"$FAKE/calls"
[ "$1" != set-override ] || ln -sfn "$SYSFS/bus/pci/drivers/vfio-pci" "$SYSFS/bus/pci/devices/$2/driver" """,
    "modprobe": 'echo "modprobe $*" >>"$FAKE/calls"; mkdir -p "$SYSFS/bus/pci/drivers/vfio-pci"',
}


class BindNics(unittest.TestCase):
    def setUp(self):
        self.fake = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.fake)
        self.sysfs, self.proc, tools = (self.fake / name for name in ("sys", "proc", "tools"))
        for folder in ("bus/pci/devices", "bus/pci/drivers/igb", "class/net", "kernel/iommu_groups",
                       "devices/virtual/net", "module/vfio/parameters"):
            (self.sysfs / folder).mkdir(parents=True)
        for folder in (self.proc, tools):
            folder.mkdir()
        for name, text in TOOLS.items():
            (tools / name).write_text("#!/bin/bash\n" + text + "\n")
            (tools / name).chmod(0o755)
        for name in ("default4", "default6", "addresses", "ways", "routes", "calls"):
            (self.fake / name).write_text("")
        self.environment = {"PATH": f"{tools}:/usr/bin:/bin", "SYSFS": str(self.sysfs),
                            "PROCFS": str(self.proc), "FAKE": str(self.fake)}
        self.nic("0000:01:00.0", "eth0", group=1)
        self.nic("0000:03:00.0", "eth1", group=3)
        self.nic("0000:03:00.1", "eth2", group=4)

    # -- the machine -----------------------------------------------------------------------------

    def nic(self, address, name=None, vendor=INTEL, kind=ETHERNET, group=None, driver="igb", below=""):
        device = self.sysfs / "devices/pci0000:00" / address
        device.mkdir(parents=True)
        for file, text in (("class", kind), ("vendor", vendor), ("numa_node", "0")):
            (device / file).write_text(text + "\n")
        (self.sysfs / "bus/pci/devices" / address).symlink_to(device)
        if driver:
            (device / "driver").symlink_to(self.sysfs / "bus/pci/drivers" / driver)
        if group is not None:
            members = self.sysfs / f"kernel/iommu_groups/{group}/devices"
            members.mkdir(parents=True, exist_ok=True)
            (members / address).symlink_to(device)
            (device / "iommu_group").symlink_to(members.parent)
        if name:
            interface = device / below / "net" / name
            interface.mkdir(parents=True)
            (interface / "device").symlink_to(device / below)
            (self.sysfs / "class/net" / name).symlink_to(interface)

    def virtual(self, name, *lower):
        interface = self.sysfs / "devices/virtual/net" / name
        interface.mkdir()
        for other in lower:
            (interface / f"lower_{other}").symlink_to(self.sysfs / "class/net" / other)
        (self.sysfs / "class/net" / name).symlink_to(interface)

    def say(self, file, line):
        (self.fake / file).write_text(line + "\n")

    def call(self, *words, **environment):
        return subprocess.run([SCRIPT, *words], env={**self.environment, **environment}, text=True,
                              capture_output=True, check=False, timeout=30)

    def calls(self):
        return (self.fake / "calls").read_text().splitlines()

    def refused(self, *words, status=1, because, **environment):
        done = self.call(*words, **environment)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        self.assertIn(because, done.stderr)
        self.assertFalse([c for c in self.calls() if c.startswith(("dpdk-devbind", "driverctl set"))])
        return done

    # -- the tests -------------------------------------------------------------------------------

    def test_nics_are_bound_by_address_short_address_and_interface(self):
        for word in ("0000:03:00.0", "03:00.0", "eth1"):
            with self.subTest(word):
                done = self.call("bind", word, "0000:03:00.1")
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertEqual(done.stdout, "0000:03:00.0 is bound to vfio-pci\n"
                                              "0000:03:00.1 is bound to vfio-pci\n")
        self.assertEqual(self.calls(), ["modprobe vfio-pci",
                                        "dpdk-devbind.py -b vfio-pci 0000:03:00.0 0000:03:00.1"])

    def test_the_nic_of_the_default_route_is_refused(self):
        self.virtual("bond0", "eth0", "eth1")
        self.virtual("br0", "bond0")
        self.virtual("bond0.7", "bond0")
        for family, device in (("4", "eth1"), ("6", "eth1"), ("4", "bond0"), ("4", "br0"), ("6", "bond0.7")):
            with self.subTest(device, family=family):
                self.say("default" + family, f"default via 192.0.2.1 dev {device} proto dhcp metric 100")
                done = self.refused("bind", "0000:03:00.1", "0000:03:00.0",
                                    because="the default route goes through eth1")
                self.assertIn("--force", done.stderr)
                self.say("default" + family, "")

    def test_the_nic_of_the_ssh_session_is_refused(self):
        self.virtual("vlan9", "eth2")
        self.say("addresses", "5: vlan9    inet 198.51.100.2/24 brd 198.51.100.255 scope global vlan9")
        session = "203.0.113.9 50000 198.51.100.2 22"
        self.refused("bind", "eth2", because="this SSH session goes through eth2", SSH_CONNECTION=session)
        # sudo takes the variable away, but not from its parents.
        parent = self.proc / str(os.getpid())
        parent.mkdir()
        (parent / "environ").write_bytes(b"A=b\0SSH_CONNECTION=" + session.encode() + b"\0")
        (parent / "status").write_text("PPid:\t1\n")
        wrapped = subprocess.run(["bash", "-c", 'mkdir "$PROCFS/$$"; echo "PPid: $WE" >"$PROCFS/$$/status"; '
                                  f'exec {SCRIPT} bind eth2'], env={**self.environment, "WE": str(os.getpid())},
                                 text=True, capture_output=True, check=False)
        self.assertEqual(wrapped.returncode, 1)
        self.assertIn("this SSH session goes through eth2", wrapped.stderr)

    def test_a_nic_with_routes_is_refused_and_force_takes_it(self):
        self.say("routes", "eth1 192.0.2.0/24 proto kernel scope link")
        self.refused("bind", "eth1", because="eth1 has an address and routes")
        done = self.call("bind", "--force", "eth1")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("dpdk-devbind.py --force -b vfio-pci 0000:03:00.0", self.calls())

    def test_an_address_that_is_not_there_gets_a_suggestion(self):
        for word, meant in (("0000:03:00.2", "0000:03:00.0 or 0000:03:00.1"), ("03:00.11", "0000:03:00.1"),
                            ("eth7", "eth0 or eth1 or eth2")):
            with self.subTest(word):
                self.refused("bind", word, because=f"hint: did you mean {meant}?")
        self.refused("bind", "0000:ff:1f.7", because="'bind-nics.sh list' shows those there are")

    def test_what_is_no_nic_is_refused(self):
        self.nic("0000:05:00.0", kind=DISK, group=5, driver=None)
        self.refused("bind", "0000:05:00.0", because="is no network device")
        self.virtual("bond0", "eth0", "eth1")
        self.refused("bind", "bond0", because="name one of: eth0 eth1")
        self.virtual("dummy0")
        self.refused("bind", "dummy0", because="dummy0 is no NIC")

    def test_nics_by_mellanox_stay_with_the_kernel(self):
        self.nic("0000:07:00.0", "mlx0", vendor=MELLANOX, group=7)
        done = self.refused("bind", "eth1", "mlx0", because="through the kernel's driver")
        self.assertIn('device: "0000:07:00.0"', done.stderr)
        self.assertIn("for DPDK as it is", self.call("list").stdout)

    def test_without_iommu_it_says_how_to_get_one(self):
        self.nic("0000:09:00.0", "eth9")
        self.assertIn("intel_iommu=on iommu=pt", self.refused("bind", "eth9", because="the IOMMU is off").stderr)
        (self.proc / "cpuinfo").write_text("vendor_id : AuthenticAMD\n")
        self.assertIn("amd_iommu=on iommu=pt", self.refused("bind", "eth9", because="the IOMMU is off").stderr)
        done = self.call("bind", "--noiommu", "eth9")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("warning: without IOMMU", done.stderr)
        self.assertEqual((self.sysfs / "module/vfio/parameters/enable_unsafe_noiommu_mode").read_text(), "1\n")

    def test_a_group_is_bound_as_a_whole(self):
        self.nic("0000:0a:00.0", "eth10", group=10)
        self.nic("0000:0a:00.1", "eth11", group=10)
        self.refused("bind", "eth10", because="shares IOMMU group 10 with 0000:0a:00.1")
        self.assertEqual(self.call("bind", "eth10", "eth11").returncode, 0)

    def test_virtio_is_found_one_folder_deeper(self):
        self.nic("0000:00:04.0", "ens4", group=11, below="virtio2")
        self.assertEqual(self.call("bind", "ens4").stdout, "0000:00:04.0 is bound to vfio-pci\n")

    def test_persist_uses_driverctl(self):
        self.assertEqual(self.call("persist", "eth1").returncode, 0)
        self.assertIn("driverctl set-override 0000:03:00.0 vfio-pci", self.calls())
        os.unlink(self.fake / "tools/driverctl")
        if shutil.which("driverctl", path="/usr/bin:/bin:/usr/sbin:/sbin") is None:
            self.assertIn("apt-get install driverctl", self.call("persist", "eth1").stderr)

    def test_settle_waits_until_persisted_nics_have_their_driver(self):
        overrides = self.fake / "driverctl.d"
        self.environment["DRIVERCTL_DIR"] = str(overrides)
        self.assertEqual(self.call("settle").returncode, 0)
        overrides.mkdir()
        (overrides / "pci-0000:03:00.0").write_text("vfio-pci\n")
        waiting = subprocess.Popen([SCRIPT, "settle"], env=self.environment)
        self.assertEqual(self.call("bind", "eth1").returncode, 0)
        self.assertEqual(waiting.wait(60), 0)

    def test_a_binding_that_did_not_happen_is_told(self):
        self.say("broken", "")
        done = self.call("bind", "eth1")
        self.assertEqual(done.returncode, 1)
        self.assertIn("0000:03:00.0 was not bound to vfio-pci", done.stderr)

    def test_list_tells_what_nics_are_used_for(self):
        self.say("default6", "default via fe80::1 dev eth0")
        self.nic("0000:0b:00.0", driver=None, group=12)
        rows = [line.split(maxsplit=5) for line in self.call("list").stdout.splitlines()]
        self.assertEqual(rows[1], ["0000:01:00.0", "igb", "eth0", "0", "1",
                                   "the default route goes through eth0"])
        self.assertEqual(rows[4][:5], ["0000:0b:00.0", "-", "-", "0", "12"])

    def test_wrong_usage_is_status_2(self):
        for words in ((), ("bind",), ("attach", "eth1"), ("bind", "--fast", "eth1"), ("list", "eth1"),
                      ("settle", "eth1")):
            with self.subTest(words):
                self.refused(*words, status=2, because="bind-nics.sh --help")
        self.assertIn("Exit status: 0 done", self.call("--help").stdout)


if __name__ == "__main__":
    unittest.main()
