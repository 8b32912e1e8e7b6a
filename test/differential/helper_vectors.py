"""Hand-written sequences with helpers, each plain and through translations.

Behind " => " stands the class that both sides must give a packet.
"""
from helper_talks import WAYS, Talk, end, pptp
from nat_sequences import NatSequence

VECTORS = []


def each_way(name, families=("", "v6")):
    """Adds what the function writes for each way and family."""
    def add(write):
        for family in families:
            for way in WAYS:
                chosen = way.family(family) if family else way
                rows = [line.partition(" => ")[::2] for line in write(chosen)]
                VECTORS.append(NatSequence(
                    f"{name}, {way.name}{' ' if family else ''}{family}",
                    [step for step, _ in rows], chosen.rules, v6=family, has_helpers=True,
                    is_whole=True, expectations=[[told] if told else [] for _, told in rows]))
        return write
    return add


def data_side(way):
    """Where connections of the server begin."""
    return "inside" if way.side == "outside" else "outside"


def logged_in(way, **more):
    talk = Talk(way, 21, **more).open()
    talk.server("220 hello\\r\\n")
    talk.client("USER me\\r\\n")
    talk.server("331 go on\\r\\n")
    return talk


def open_from_server(talk, name, port=20):
    """A data connection: SYN twice, its answer, the third packet."""
    way = talk.way
    talk.step(f"d1: {data_side(way)} tcp {end(way.real_server, port)} > {{{name}.said}} S seq 70"
              " => related original")
    talk.step(f"d2: {data_side(way)} tcp {end(way.real_server, port)} > {{{name}.said}} S seq 70"
              " => related original")
    talk.step("d3: {d1.side} tcp {d1.dst} > {d1.src} SA seq 90 ack {d1.end}"
              " => established reply")
    talk.step(f"d4: {data_side(way)} tcp {end(way.real_server, port)} > {{{name}.said}} "
              ". seq 71 ack {d3.end} => established original")


@each_way("H01 active FTP", ("",))
def active_ftp(way):
    talk = logged_in(way)
    name = talk.client(f"PORT commas({way.client}),16,1\\r\\n")
    open_from_server(talk, name)
    talk.server("200 done\\r\\n")
    talk.client("LIST\\r\\n")
    return talk.lines


@each_way("H04 extended active FTP")
def extended_active_ftp(way):
    talk = logged_in(way)
    number = 2 if way.client.endswith("v6") else 1
    name = talk.client(f"EPRT |{number}|{way.client}|4097|\\r\\n")
    open_from_server(talk, name)
    talk.server("200 done\\r\\n")
    return talk.lines


@each_way("H02 PORT as the very first line", ("",))
def first_line(way):
    talk = Talk(way, 21).open()
    talk.client(f"PORT commas({way.client}),16,1\\r\\n")
    talk.client(f"PORT commas({way.client}),16,2\\r\\n")
    return talk.lines


@each_way("H03 three announcements", ("",))
def three_announcements(way):
    talk = logged_in(way)
    for number in (1, 2, 3):
        talk.client(f"PORT commas({way.client}),16,{number}\\r\\n")
        talk.server("200 done\\r\\n")
    return talk.lines


@each_way("H04 the address of another, lower case, cut", ("",))
def odd_announcements(way):
    talk = logged_in(way)
    talk.client("PORT commas(out7),16,1\\r\\n")
    talk.client(f"port commas({way.client}),16,2\\r\\n")
    talk.client("PORT 10,0,1", is_lost=True)
    talk.client(f"PORT commas({way.client}),16,3\\r\\n")
    return talk.lines


@each_way("H05 passive FTP", ("",))
def passive_ftp(way):
    talk = logged_in(way)
    talk.client("PASV\\r\\n")
    name = talk.server(f"227 Entering Passive Mode (commas({way.real_server}),16,9).\\r\\n")
    talk.step(f"d1: {way.side} tcp {end(way.client, 4444)} > {{{name}.said}} S seq 70"
              " => related original")
    talk.step("d2: {d1.side} tcp {d1.dst} > {d1.src} SA seq 90 ack {d1.end}")
    talk.step(f"d3: {way.side} tcp {end(way.client, 4444)} > {{{name}.said}} . seq 71 ack "
              "{d2.end}")
    talk.step(f"d4: {way.side} tcp {end(way.client, 4445)} > {{{name}.said}} S seq 70"
              " => new original")
    return talk.lines


@each_way("H05 extended passive FTP")
def extended_passive_ftp(way):
    talk = logged_in(way)
    talk.client("EPSV\\r\\n")
    talk.server("229 Extended Passive Mode Entered (|||4105|)\\r\\n")
    talk.step(f"d1: {way.side} tcp {end(way.client, 4444)} > {end(way.server, 4105)} S seq 70"
              " => related original")
    talk.step("d2: {d1.side} tcp {d1.dst} > {d1.src} SA seq 90 ack {d1.end}")
    return talk.lines


@each_way("H06 announcements that change their length, acknowledgements and SACK", ("",))
def changed_length(way):
    talk = logged_in(way)
    first = talk.client(f"PORT commas({way.client}),16,1\\r\\n")
    talk.server("200 done\\r\\n")
    talk.client("LIST\\r\\n")
    second = talk.client(f"PORT commas({way.client}),16,2\\r\\n")
    last = talk.client("NOOP\\r\\n")
    talk.server(more=f" opt sack={{{last}.seq}}-{{{last}.end}}")
    talk.step(f"{{{second}.side}} tcp {{{second}.dst}} > {{{second}.src}} . seq "
              f"{{{talk.last['server']}.next}} ack {{{first}.end}} opt "
              f"nop,nop,sack={{{second}.seq}}-{{{last}.end}}")
    talk.again(-4)
    talk.server("200 fine\\r\\n")
    talk.client(flags="F.")
    talk.server(flags="F.")
    talk.client()
    return talk.lines


@each_way("H07 others at the announced port", ("",))
def strangers(way):
    talk = logged_in(way)
    name = talk.client(f"PORT commas({way.client}),16,1\\r\\n")
    talk.step(f"{data_side(way)} tcp {end(way.stranger, 20)} > {{{name}.said}} S seq 3"
              " => new original")
    talk.step(f"d1: {data_side(way)} tcp {end(way.real_server, 20)} > {{{name}.said}} S seq 70"
              " => related original")
    talk.step(f"{data_side(way)} tcp {end(way.real_server, 21000)} > {{{name}.said}} S seq 70"
              " => new original")
    return talk.lines


@each_way("FTP: two clients announce one port", ("",))
def same_port(way):
    talks = [logged_in(way, prefix="a"), logged_in(way, prefix="b", client_port=4001, start=9000)]
    steps = [line for talk in talks for line in talk.lines]
    for talk in talks:
        talk.lines.clear()
        # Without translation there is no other port, and the second announcement is lost.
        talk.client(f"PORT commas({way.client}),16,1\\r\\n",
                    is_lost=not way.rules and talk is talks[1])
        talk.server("200 done\\r\\n")
        steps += talk.lines
    return steps


@each_way("H08 TFTP")
def tftp(way):
    client, server = end(way.client, 2000), end(way.server, 69)
    return [f"a: {way.side} udp {client} > {server} say \\0\\1file\\0octet\\0",
            f"b: {{a.side}} udp {end(way.real_server, 3333)} > {{a.src}} len 100 => related original",
            "c: {b.side} udp {b.dst} > {b.src} len 4 => established reply",
            f"d: {{a.side}} udp {end(way.real_server, 3334)} > {{a.src}} len 100 => new original",
            f"e: {way.side} udp {client} > {server} say \\0\\2file\\0octet\\0",
            f"f: {way.side} udp {client} > {server} say \\0\\3file\\0octet\\0"]


@each_way("H09 IRC", ("",))
def irc(way):
    talk = Talk(way, 6667).open()
    talk.client("NICK me\\r\\n")
    name = talk.client(f"PRIVMSG you :\\1DCC SEND file decimal({way.client}) 4097 100\\1\\r\\n")
    talk.client("PRIVMSG you :\\1DCC SEND file decimal(out7) 4098 100\\1\\r\\n")
    talk.client(f"PRIVMSG you :\\1DCC CHAT chat decimal({way.client}) 4099\\1\\r\\n")
    talk.step(f"d1: {data_side(way)} tcp {end(way.stranger, 2000)} > {{{name}.said}} S seq 70"
              " => related original")
    talk.step("d2: {d1.side} tcp {d1.dst} > {d1.src} SA seq 90 ack {d1.end}")
    return talk.lines


def sip_message(first, way, caller, called, media, contact, tag=""):
    """A request or response; `media` is the address of the voice."""
    family = 6 if media.endswith("v6") else 4
    body = f"v=0\\r\\no=- 1 1 IN IP{family} {media}\\r\\ns=-\\r\\nc=IN IP{family} {media}\\r\\n" \
           "t=0 0\\r\\nm=audio 4100 RTP/AVP 0\\r\\n"
    return "\\r\\n".join([
        first, f"Via: SIP/2.0/UDP {end(caller, 5060)};branch=z9hG4bK1",
        f"From: <sip:me@{caller}>;tag=1", f"To: <sip:you@{called}>{tag}",
        f"Call-ID: 7@{caller}", "CSeq: 1 INVITE", f"Contact: <sip:me@{end(contact, 5060)}>",
        "Content-Type: application/sdp", "Content-Length: LENGTH", "", body])


@each_way("H10 SIP call", ("",))
def sip(way):
    client, server = end(way.client, 5060), end(way.server, 5060)
    invite = sip_message(f"INVITE sip:you@{way.server} SIP/2.0", way, way.client, way.server,
                         way.client, way.client)
    return [f"a: {way.side} udp {client} > {server} say {invite}",
            f"v1: {{a.side}} udp {end(way.real_server, 4200)} > {{a.said}} len 160"
            " => related original",
            "v2: {v1.side} udp {v1.dst} > {v1.src} len 160"]


@each_way("PPTP call", ("",))
def pptp_call(way):
    talk = Talk(way, 1723).open()
    # Translated, the client's call has the number of its port.
    call = 4000 if way.rules else 77

    def say(who, digits):
        name = talk.say(who, "x")
        talk.lines[-1] = talk.lines[-1].replace(" say x", f" data {digits}")
        return name
    say("client", pptp(1, 0x100, 0, 3, 3, 0, 1))
    say("server", pptp(2, 0x100, 1, 0, 3, 3, 0, 1))
    say("client", pptp(7, 77, 1, 300, 100000000, 3, 3, 64, 0, 0, 0))
    say("server", pptp(8, 99, call, 1, 0, 0, 100000000, 64, 0, 0))
    talk.step(f"g1: {way.side} gre {way.client} > {way.server} call 99 len 20 => related original")
    talk.step(f"g2: {{g1.side}} gre {{g1.dst}} > {{g1.src}} call {call} len 20 => established reply")
    say("client", pptp(12, 77, 0))
    say("server", pptp(13, 99, 1, 0, 0, 0))
    return talk.lines
