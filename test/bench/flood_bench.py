"""A SYN flood against a small table, with real hosts: what is left of an established transfer, and
does a new connection still come in?

    sudo /usr/bin/python3 test/bench/flood_bench.py [--rounds 5] [--rate 20000] [--max 20000]

Each round measures the same TCP transfer twice, in turn: beside a neutral load (UDP of one known
flow) and beside a SYN flood of the same packet rate, every SYN from another source. So the share of
the machine that the generator takes is the same on both sides. Prints medians and their ratio.
"""
import argparse
import json
import pathlib
import socket
import statistics
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
from lab import ADDRESS4, Lab  # noqa: E402

RULES = """chains:
  forward:
    policy: drop
    rules:
      - { id: inv, state: invalid, action: drop }
      - { id: est, state: [established, related], action: accept }
      - { id: new, in: inside, state: new, action: accept }
"""

# Sends frames at a steady rate until it is stopped; run inside the host's namespace.
GENERATOR = r"""
import random, socket, struct, sys, time
kind, rate, src_mac, dst_mac = sys.argv[1], int(sys.argv[2]), *map(bytes.fromhex, sys.argv[3:5])
def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16: total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff
def ip(src, dst, proto, body):
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(body), 0, 0, 64, proto, 0, src, dst)
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + body
def frame(i):
    dst = socket.inet_aton("10.77.0.2")
    if kind == "syn":
        src = bytes([10, 77, 1 + i // 250 % 250, 1 + i % 250])
        body = struct.pack("!HHIIBBHHH", 1024 + i % 60000, 81, i, 0, 0x50, 2, 64240, 0, 0)
        sum_ = checksum(src + dst + struct.pack("!BBH", 0, 6, len(body)) + body)
        body = body[:16] + struct.pack("!H", sum_) + body[18:]
        return dst_mac + src_mac + b"\x08\0" + ip(src, dst, 6, body)
    src = socket.inet_aton("10.77.0.1")
    return dst_mac + src_mac + b"\x08\0" + ip(src, dst, 17, struct.pack("!HHHH", 7, 9, 20, 0) + bytes(12))
frames = [frame(i) for i in range(100000 if kind == "syn" else 1)]
out = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
out.bind(("eth0", 0))
print("ready", flush=True)
begin, sent = time.monotonic(), 0
while True:
    due = int((time.monotonic() - begin) * rate)
    for _ in range(min(due - sent, 200)):
        try: out.send(frames[sent % len(frames)])
        except OSError: pass
        sent += 1
    if sent >= due: time.sleep(0.001)
"""

CONNECT = r"""
import socket, sys, time
times = []
for _ in range(20):
    begin = time.monotonic()
    try:
        with socket.create_connection(("10.77.0.2", 22022), timeout=3) as one:
            if one.recv(8): times.append(time.monotonic() - begin)
    except OSError: pass
print(len(times), sorted(times)[len(times) // 2] * 1000 if times else 0)
"""


def serve_banner(lab):
    """Stands for sshd: greets whoever connects."""
    lab.spawn("outside", "/usr/bin/python3", "-c",
              "import socket\ns=socket.create_server(('10.77.0.2',22022),backlog=64)\n"
              "while True:\n c,_=s.accept()\n c.sendall(b'SSH-2.0-x\\r\\n')\n c.close()")
    if not lab.listening("outside", 22022):
        raise RuntimeError("no server on port 22022")


def mac(lab, side):
    link = json.loads(lab.host(side, "ip", "-j", "link", "show", "eth0").stdout)[0]
    return link["address"].replace(":", "")


def transfer(lab, seconds, bits):
    """Bits per second that arrived of a TCP transfer at a bounded rate."""
    done = lab.host("inside", "iperf3", "--json", "--bitrate", bits, "--time", seconds, "--client",
                    ADDRESS4["outside"], timeout=seconds + 30)
    return json.loads(done.stdout)["end"]["sum_received"]["bits_per_second"]


def measure(lab, kind, options):
    result = {}
    thread = threading.Thread(
        target=lambda: result.update(goodput=transfer(lab, options.seconds, options.bits)))
    thread.start()
    time.sleep(0.5)
    load = lab.spawn("inside", "/usr/bin/python3", "-c", GENERATOR, kind, options.rate,
                     mac(lab, "inside"), mac(lab, "outside"), stdout=subprocess.PIPE, text=True)
    load.stdout.readline()
    time.sleep(2)
    opened, delay = lab.host("inside", "/usr/bin/python3", "-c", CONNECT, timeout=90).stdout.split()
    thread.join()
    load.terminate()
    load.wait()
    return result["goodput"], int(opened), float(delay)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rate", type=int, default=20000, help="packets per second of the load")
    parser.add_argument("--max", type=int, default=20000, help="conntrack.max")
    parser.add_argument("--seconds", type=int, default=6, help="of each transfer")
    parser.add_argument("--bits", default="100M", help="bit rate of the transfer")
    options = parser.parse_args()
    seen = {"udp": [], "syn": []}
    with Lab(driver="net_af_packet") as lab:
        lab.start(lab.configuration(RULES, conntrack=f"{{ max: {options.max} }}"))
        lab.spawn("outside", "iperf3", "--server")
        lab.listening("outside", 5201)
        serve_banner(lab)
        for _ in range(options.rounds):
            for kind in seen:
                seen[kind].append(measure(lab, kind, options))
                print(kind, "goodput %.2f Mbit/s, %d of 20 connections in %.1f ms" %
                      (seen[kind][-1][0] / 1e6, *seen[kind][-1][1:]), flush=True)
        statistics_ = lab.ctl_json("conntrack", "-S")[0]
        flows = lab.ctl_json("conntrack", "-C")
    goodput = {kind: statistics.median(one[0] for one in rows) for kind, rows in seen.items()}
    print(f"table: {flows} of {options.max} flows, early_drop {statistics_['early_drop']}, "
          f"drop {statistics_['drop']}")
    print("established goodput, flood / neutral load: %.4f" % (goodput["syn"] / goodput["udp"]))
    print("new connections admitted during the flood: %d of %d" %
          (sum(one[1] for one in seen["syn"]), 20 * options.rounds))


if __name__ == "__main__":
    main()
