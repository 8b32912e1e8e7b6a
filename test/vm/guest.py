"""A guest of QEMU with emulated NICs, and a wire to run commands in it.

    with Guest(directory, nics=[Nic("e1000e", "rp-in")], shares=[...]) as guest:
        guest.run("lspci").stdout
        guest.set_link(0, False)

Everything is emulated, the processor too, unless RAMPART_VM_ACCEL=kvm says that KVM works here: where
machines are nested, /dev/kvm may be there and a kernel hang on it. The NICs are TAP interfaces of the
network namespace that QEMU runs in. The image comes from build-guest.sh.
"""
import dataclasses
import json
import os
import pathlib
import shutil
import socket
import subprocess
import time

HERE = pathlib.Path(__file__).resolve().parent
CACHE = pathlib.Path(os.environ.get("RAMPART_VM_CACHE", "/var/cache/rampart-test"))
QEMU = "qemu-system-x86_64"
FIRST_SLOT = 0x10
BOOT_SECONDS = 300


class Unavailable(Exception):
    """This machine cannot run guests; the text says why."""


@dataclasses.dataclass
class Nic:
    kind: str  # e1000e, vmxnet3, virtio, or virtio-rss
    interface: str  # the TAP that QEMU makes
    queues: int = 1

    def arguments(self, number):
        backend = f"tap,id=wire{number},ifname={self.interface},script=no,downscript=no,vhost=off"
        model = self.kind
        more = ""
        if self.kind.startswith("virtio"):
            model = "virtio-net-pci"
            more = ",disable-legacy=on,iommu_platform=on"
            if self.queues > 1:
                backend += f",queues={self.queues}"
                more += f",mq=on,vectors={2 * self.queues + 2}"
            if self.kind == "virtio-rss":
                more += ",rss=on,hash=on"
        return ["-netdev", backend, "-device",
                f"{model},netdev=wire{number},id=nic{number},mac=52:54:00:77:00:{number:02x},"
                f"bus=pcie.0,addr={FIRST_SLOT + number:#x}{more}"]


def prepare_image():
    """Builds the image when it is not there; Unavailable when that is impossible here."""
    for program in (QEMU, "mmdebstrap"):
        if shutil.which(program) is None:
            raise Unavailable(f"{program} is missing")
    if os.geteuid() != 0:
        raise Unavailable("guests with NICs need root")
    built = subprocess.run([HERE / "build-guest.sh"], text=True, capture_output=True, check=False)
    if built.returncode != 0:
        last = built.stderr.strip().splitlines()[-1:] or ["no reason given"]
        raise Unavailable(f"the guest could not be built: {last[0]}")


class Guest:
    def __init__(self, directory, nics=(), shares=(), namespace=None, cpus=2, memory=1280,
                 hugepages=256, then=None):
        """`shares`: (path, "ro" or "rw"), at the same path in the guest. `then`: its process 1, which may
        boot the guest again; the disk is as it was left then, until stop()."""
        self.directory = pathlib.Path(directory)
        self.nics, self.shares, self.namespace = nics, shares, namespace
        self.cpus, self.memory, self.hugepages, self.then = cpus, memory, hugepages, then
        self.console = self.directory / "console.log"
        self.process = self.wire = self.monitor = None

    @staticmethod
    def address(number):
        """The PCI address of the NIC with this number."""
        return f"0000:00:{FIRST_SLOT + number:02x}.0"

    # -- power ----------------------------------------------------------------------------------

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.stop()
            raise

    def __exit__(self, *_):
        self.stop()

    def start(self):
        with (self.directory / "qemu.log").open("w") as log:
            prefix = ["ip", "netns", "exec", self.namespace] if self.namespace else []
            self.process = subprocess.Popen(prefix + self._arguments(), stdout=log, stderr=log,
                                            stdin=subprocess.DEVNULL, start_new_session=True)
        self.monitor = _Wire(self._connect("monitor.sock"))
        self.monitor.receive(10)  # its greeting
        self._ask_monitor("qmp_capabilities")
        self.wire = _Wire(self._connect("agent.sock"))
        return self

    def wait_for_boot(self):
        try:
            self.wire.receive(BOOT_SECONDS)
        except (TimeoutError, ConnectionError) as error:
            raise RuntimeError("the guest did not boot:\n" + self._last_words()) from error
        return self

    def reboot(self):
        """Asks process 1 for it."""
        self.run("systemctl", "--no-block", "reboot")
        return self.wait_for_boot()

    def stop(self):
        for wire in (self.wire, self.monitor):
            if wire is not None:
                wire.close()
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(5)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def _arguments(self):
        kvm = os.environ.get("RAMPART_VM_ACCEL") == "kvm"
        machine = "q35,accel=kvm,kernel-irqchip=split" if kvm else "q35,accel=tcg"
        words = [QEMU, "-nodefaults", "-no-user-config", "-display", "none",
                 *(["-no-reboot"] if self.then is None else []), "-machine", machine, "-cpu", "host" if kvm else "max,-la57,-erms,-fsrm",
                 "-smp", str(self.cpus), "-m", str(self.memory),
                 "-device", "intel-iommu,intremap=on,caching-mode=on,aw-bits=48",
                 "-kernel", CACHE / "kernel", "-initrd", CACHE / "initrd",
                 "-append", self._command_line(), "-serial", f"file:{self.console}",
                 "-drive", f"file={CACHE / 'disk'},if=none,id=disk,format=raw,snapshot=on",
                 "-device", "virtio-blk-pci,drive=disk,bus=pcie.0,addr=0x8",
                 "-device", "virtio-rng-pci", "-device", "virtio-serial-pci",
                 "-chardev", f"socket,id=agent,path={self.directory}/agent.sock,server=on,wait=off",
                 "-device", "virtserialport,chardev=agent,name=agent",
                 "-qmp", f"unix:{self.directory}/monitor.sock,server=on,wait=off"]
        for number, (path, mode) in enumerate(self.shares):
            words += ["-fsdev", f"local,id=share{number},path={path},security_model=none" +
                      (",readonly=on" if mode == "ro" else ""),
                      "-device", f"virtio-9p-pci,fsdev=share{number},mount_tag=share{number}"]
        for number, nic in enumerate(self.nics):
            words += nic.arguments(number)
        return [str(word) for word in words]

    def _command_line(self):
        words = ["console=ttyS0", "loglevel=4", "panic=-1", "intel_iommu=on", "iommu=pt",
                 "mitigations=off", "tsc=reliable", "no_timer_check", "nokaslr", "apparmor=0",
                 "cryptomgr.notests", "clearcpuid=rep_good", f"hugepages={self.hugepages}",
                 "run=/usr/local/sbin/first-process.sh", f"agent={HERE}/guest/agent.py"]
        if self.then is not None:
            words.append(f"then={self.then}")
        words += [f"share=share{number}:{path}:{mode}"
                  for number, (path, mode) in enumerate(self.shares)]
        return " ".join(words)

    def _connect(self, name):
        end = time.monotonic() + 10
        while True:
            connection = socket.socket(socket.AF_UNIX)
            try:
                connection.connect(str(self.directory / name))
                return connection
            except OSError:
                connection.close()
                if self.process.poll() is not None or time.monotonic() > end:
                    raise RuntimeError("QEMU does not run:\n" + self._last_words()) from None
                time.sleep(0.02)

    def _last_words(self):
        return "\n".join(path.read_text(errors="replace")[-2000:]
                         for path in (self.directory / "qemu.log", self.console) if path.exists())

    # -- what one does with it ------------------------------------------------------------------

    def run(self, *words, check=True, timeout=180):
        """A command in the guest; a CompletedProcess with text."""
        words = [str(word) for word in words]
        self.wire.send({"words": words, "timeout": timeout})
        said = self.wire.receive(timeout + 30)
        done = subprocess.CompletedProcess(words, said["status"], said["out"], said["err"])
        if check and done.returncode != 0:
            raise subprocess.CalledProcessError(done.returncode, words, done.stdout, done.stderr)
        return done

    def shell(self, directory, *programs):
        """A function that runs lines of shell there, with folders of programs before all others."""
        start = f"cd {directory}; export PATH={':'.join(map(str, programs))}:$PATH; "
        return lambda line: self.run("sh", "-c", start + line, check=False)

    def set_link(self, number, up):
        """Plugs or pulls the cable of a NIC."""
        self._ask_monitor("set_link", name=f"nic{number}", up=up)

    def _ask_monitor(self, command, **arguments):
        self.monitor.send({"execute": command, "arguments": arguments})
        while True:
            said = self.monitor.receive(30)
            if "error" in said:
                raise RuntimeError(f"{command}: {said['error']}")
            if "return" in said:  # anything else is an event
                return said["return"]


class _Wire:
    """JSON, one object per line, over a socket."""

    def __init__(self, connection):
        self.connection, self.pending = connection, b""

    def send(self, value):
        self.connection.sendall(json.dumps(value).encode() + b"\n")

    def receive(self, seconds):
        end = time.monotonic() + seconds
        while b"\n" not in self.pending:
            self.connection.settimeout(max(0.01, end - time.monotonic()))
            data = self.connection.recv(65536)
            if not data:
                raise ConnectionError("the other end is gone")
            self.pending += data
        line, self.pending = self.pending.split(b"\n", 1)
        return json.loads(line)

    def close(self):
        self.connection.close()
