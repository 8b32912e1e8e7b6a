"""Random FTP and TFTP sessions, plain and through translations: commands and replies in any order,
copies, announcements of others, data connections from who may open them and from who may not.

Left out is what docs/helpers.md names as stricter than Linux.
"""
import random

from helper_talks import WAYS, Talk, end
from nat_sequences import NatSequence

CHATTER = (("NOOP\\r\\n", "200 fine\\r\\n"), ("TYPE I\\r\\n", "200 binary\\r\\n"),
           ("LIST\\r\\n", "150 here it comes\\r\\n"), ("RETR file\\r\\n", "550 no such file\\r\\n"))


class FtpSession:
    def __init__(self, rng, way, prefix, client_port):
        self.rng, self.way = rng, way
        self.talk = Talk(way, 21, prefix, client_port, rng.choice((1000, 0xfffffff0))).open()
        self.talk.server("220 hello\\r\\n")
        self.talk.client("USER me\\r\\n")
        self.talk.server("331 go on\\r\\n")
        self.announced = None  # (packet's name, who opens)
        self.port = rng.choice((4096, 20000))

    def step(self):
        roll = self.rng.random()
        if roll < 0.35:
            self.announce()
        elif roll < 0.55 and self.announced:
            self.open_data()
        elif roll < 0.65:
            self.talk.again()
        else:
            question, answer = self.rng.choice(CHATTER)
            self.talk.client(question)
            if self.rng.random() < 0.8:
                self.talk.server(answer)

    def announce(self):
        self.port += self.rng.choice((0, 1, 1, 255))
        port = f"{self.port >> 8},{self.port & 255}"
        kind = self.rng.choice(("PORT", "EPRT", "PASV", "EPSV") if not self.is_ipv6()
                               else ("EPRT", "EPSV"))
        host = self.way.client if self.rng.random() < 0.9 else self.way.stranger
        if kind == "PORT":
            name = self.talk.client(f"PORT commas({host}),{port}\\r\\n")
        elif kind == "EPRT":
            number = 2 if self.is_ipv6() else 1
            name = self.talk.client(f"EPRT |{number}|{host}|{self.port}|\\r\\n")
        elif kind == "PASV":
            self.talk.client("PASV\\r\\n")
            name = self.talk.server(f"227 Entering Passive Mode "
                                    f"(commas({self.way.real_server}),{port}).\\r\\n")
        else:
            self.talk.client("EPSV\\r\\n")
            name = self.talk.server(
                f"229 Extended Passive Mode Entered (|||{self.port}|)\\r\\n")
        self.announced = name, "server" if kind in ("PORT", "EPRT") else "client"
        if self.announced[1] == "server" and self.rng.random() < 0.8:
            self.talk.server("200 done\\r\\n")

    def is_ipv6(self):
        return self.way.client.endswith("v6")

    def open_data(self):
        name, opener = self.announced
        way, rng = self.way, self.rng
        if opener == "client":
            side, host = way.side, way.client
        else:
            side = "inside" if way.side == "outside" else "outside"
            host = way.real_server if rng.random() < 0.85 else way.stranger
        label = f"{self.talk.prefix}d{len(self.talk.lines)}"
        line = f"{side} tcp {end(host, rng.choice((20, 3000, 3001)))} > {{{name}.said}} S seq 70"
        self.talk.step(f"{label}: {line}")
        if rng.random() < 0.7:
            self.talk.step(f"{{{label}.side}} tcp {{{label}.dst}} > {{{label}.src}} SA seq 90 "
                           f"ack {{{label}.end}}")


class TftpSession:
    def __init__(self, rng, way, prefix, client_port):
        self.rng, self.way, self.prefix = rng, way, prefix
        self.talk = self  # its lines
        self.lines, self.port = [], client_port
        self.step()

    def step(self):
        rng, way = self.rng, self.way
        name = f"{self.prefix}{len(self.lines)}"
        if not self.lines or rng.random() < 0.4:
            opcode = rng.choice((1, 1, 2, 3))
            self.lines.append(f"{name}: {way.side} udp {end(way.client, self.port)} > "
                              f"{end(way.server, 69)} say \\0\\{opcode}file\\0octet\\0")
        else:
            first = f"{self.prefix}0"
            self.lines.append(f"{name}: {{{first}.side}} udp "
                              f"{end(way.real_server, rng.choice((69, 3333, 3334)))} > "
                              f"{{{first}.src}} len 100")


def generate(seed):
    rng = random.Random(f"helper {seed}")
    v6 = "v6" if rng.random() < 0.2 else ""
    way = rng.choice(WAYS)
    way = way.family(v6) if v6 else way
    count = rng.choice((1, 1, 1, 2))
    sessions = [rng.choice((FtpSession, FtpSession, FtpSession, TftpSession))(
        rng, way, "ab"[i], 4000 + i) for i in range(count)]
    lines, taken = [], [0] * count
    for _ in range(rng.randint(4, 12)):
        index = rng.randrange(count)
        sessions[index].step()
        lines += sessions[index].talk.lines[taken[index]:]
        taken[index] = len(sessions[index].talk.lines)
    return NatSequence(f"helper seed {seed}", lines, way.rules, v6=v6, has_helpers=True)
