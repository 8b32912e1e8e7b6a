"""The page that net_pattern shares with the bench: what to send and what has come (pattern_page.h)."""
import mmap
import os
import pathlib
import struct
import time

MAGIC, QUEUES, BUCKETS = 0x31746170, 4, 512
IDLE, ESTABLISHED, NEW, CHURN = range(4)
STEADY = 3
CHECKSUMS_GOOD, RSS_HASH, FRAGMENTS, STAMPS, SPREAD = 1, 2, 4, 8, 16
CONTROL = ("magic", "epoch", "mode", "flags", "protocol", "ip_version", "nat", "flood",
           "flows", "first", "open_from", "budget", "rate")
CONTROL_FORMAT, CONTROL_BYTES, HEAD_BYTES = "<8I5Q", 128, 192
FIGURES = ("received", "sent", "received_good", "sent_good", "no_buffer", "missed", "longest_gap",
           "last_sent", "mark_version", "mark_cpu_ns", "mark_tsc", "mark_received", "mark_sent",
           "finished_epoch", "begun_cpu_ns", "begun_received")
QUEUE_BYTES = 128 + 8 * BUCKETS
PAGE_BYTES = HEAD_BYTES + 2 * QUEUES * QUEUE_BYTES


class Page:
    """One file in /dev/shm; both ports of one program use it."""

    def __init__(self, name):
        self.path = pathlib.Path("/dev/shm") / name
        self.path.write_bytes(struct.pack("<I", MAGIC).ljust(PAGE_BYTES, b"\0"))
        with self.path.open("r+b") as file:
            self.memory = mmap.mmap(file.fileno(), PAGE_BYTES)
        self.control = dict.fromkeys(CONTROL, 0) | {"magic": MAGIC, "protocol": 17, "ip_version": 4}

    def close(self):
        self.memory.close()
        self.path.unlink(missing_ok=True)

    def devices(self, name="net_pattern"):
        """The arguments of the two devices."""
        return [f"{name}{i},side={side},page={self.path}" for i, side in enumerate(("client", "server"))]

    def begin(self, **control):
        """Begins an epoch; what is not named stays as it was."""
        self.control.update(control, epoch=self.control["epoch"] + 1)
        packed = struct.pack(CONTROL_FORMAT, *(self.control[key] for key in CONTROL))
        # The epoch goes last: it tells that the rest is there.
        self.memory[8:len(packed)] = packed[8:]
        self.memory[4:8] = packed[4:8]

    @property
    def stage(self):
        return struct.unpack_from("<Q", self.memory, CONTROL_BYTES)[0]

    @stage.setter
    def stage(self, value):
        struct.pack_into("<Q", self.memory, CONTROL_BYTES, value)

    @property
    def tsc_hz(self):
        return struct.unpack_from("<Q", self.memory, CONTROL_BYTES + 8)[0]

    @property
    def connections(self):
        return struct.unpack_from("<Q", self.memory, CONTROL_BYTES + 16)[0]

    @staticmethod
    def _offset(side, queue):
        return HEAD_BYTES + (side * QUEUES + queue) * QUEUE_BYTES

    def figures(self, side, queue=0):
        values = struct.unpack_from(f"<{len(FIGURES)}Q", self.memory, self._offset(side, queue))
        return dict(zip(FIGURES, values))

    def total(self, name, side=None):
        sides = (0, 1) if side is None else (side,)
        return sum(self.figures(s, q)[name] for s in sides for q in range(QUEUES))

    def clear_latency(self):
        """Only while nothing is sent."""
        for side in (0, 1):
            for queue in range(QUEUES):
                at = self._offset(side, queue)
                struct.pack_into("<2Q", self.memory, at + 48, 0, 0)
                self.memory[at + 128:at + QUEUE_BYTES] = bytes(8 * BUCKETS)

    def mark(self, queue=0, seconds=10):
        """A mark that is made from now on: (CPU time in ns, TSC, received, sent), of one moment."""
        old, end = self.figures(0, queue)["mark_version"], time.monotonic() + seconds
        while True:
            one, two = self.figures(0, queue), self.figures(0, queue)
            version = one["mark_version"]
            if version == two["mark_version"] and version % 2 == 0 and version >= old + 2:
                return tuple(one[f"mark_{name}"] for name in ("cpu_ns", "tsc", "received", "sent"))
            if time.monotonic() > end:
                raise RuntimeError("the packet source is not polled")
            time.sleep(0.0005)

    def finish(self, seconds=60, queue=0):
        """Waits until the epoch's budget is used up: CPU time in ns and packets that it took."""
        end = time.monotonic() + seconds
        while self.figures(0, queue)["finished_epoch"] != self.control["epoch"]:
            if time.monotonic() > end:
                raise RuntimeError("the budget is not used up")
            time.sleep(0.001)
        figures = self.figures(0, queue)
        return (figures["mark_cpu_ns"] - figures["begun_cpu_ns"],
                figures["mark_received"] - figures["begun_received"])

    def latencies(self):
        """Microseconds at which each bucket ends, and how many packets it holds."""
        counts = [0] * BUCKETS
        for side in (0, 1):
            for queue in range(QUEUES):
                at = self._offset(side, queue) + 128
                for i, value in enumerate(struct.unpack_from(f"<{BUCKETS}Q", self.memory, at)):
                    counts[i] += value
        return [((i + 1 if i < 8 else (8 + i % 8 + 1) << (i // 8 - 1)) / self.tsc_hz * 1e6, count)
                for i, count in enumerate(counts)]

    def percentile(self, share):
        counted = self.latencies()
        left = share * sum(count for _, count in counted)
        for end_us, count in counted:
            left -= count
            if left <= 0:
                return end_us
        return float("nan")
