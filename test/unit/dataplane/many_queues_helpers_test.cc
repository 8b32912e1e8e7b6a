// What helpers announce arrives at any worker: FTP's data connections, active and passive, and
// TFTP's transfers, behind masquerade, with hosts that answer at once. A child that does not meet
// its expectation is dropped by the policy, and an answer that misses its flow as well.
#include <catch2/catch.hpp>

#include "packet/parser.h"
#include "support/spread_bed.h"

namespace rampart::test {
namespace {

using ip_protocol::kTcp, ip_protocol::kUdp;

constexpr uint8_t kSyn = tcp_flag::kSyn, kAck = tcp_flag::kAck;
constexpr char kServer[] = "203.0.113.5";
constexpr uint16_t kFirstPassive = 20000;
constexpr char kUser[] = "USER me\r\n", kGranted[] = "230 hi.\r\n";
constexpr uint32_t kLine = sizeof(kUser) - 1;
static_assert(sizeof(kUser) == sizeof(kGranted));

constexpr char kConfig[] =
    "chains:\n"
    "  raw:\n"
    "    rules:\n"
    "      - { id: ftp, in: lan, proto: tcp, dport: 21, helper: ftp }\n"
    "      - { id: tftp, in: lan, proto: udp, dport: 69, helper: tftp }\n"
    "  forward:\n"
    "    policy: drop\n"
    "    rules:\n"
    "      - { id: est, state: established, action: accept }\n"
    "      - { id: data, state: related, action: accept }\n"
    "      - { id: ctl, in: lan, proto: tcp, dport: 21, state: new, action: accept }\n"
    "      - { id: tftp-out, in: lan, proto: udp, dport: 69, state: new, action: accept }\n";
constexpr char kNat[] = "nat: { postrouting: [{ id: out, out: wan, masquerade: true }] }\n";

std::string client(unsigned number) {
    return "10.1." + std::to_string(number / 200) + "." + std::to_string(1 + number % 200);
}

std::string comma_address(const Tuple& host, uint16_t port) {
    std::string text;
    for (size_t at = 0; at < 4; ++at)
        text += std::to_string(host.src[at]) + ",";
    return text + std::to_string(port >> 8) + "," + std::to_string(port & 0xff);
}

// "h1,h2,h3,h4,p1,p2", from the first digit on.
std::pair<std::string, uint16_t> read_comma_address(const std::string& text) {
    unsigned value[6] = {};
    std::sscanf(text.c_str(), "%u,%u,%u,%u,%u,%u", value, value + 1, value + 2, value + 3,
                value + 4, value + 5);
    std::string address = std::to_string(value[0]);
    for (int at = 1; at < 4; ++at)
        address += "." + std::to_string(value[at]);
    return {address, static_cast<uint16_t>(value[4] << 8 | value[5])};
}

// All hosts without a memory: each packet says what comes next.
class Hosts {
  public:
    explicit Hosts(SpreadBed& bed) : bed_(bed) {}

    void open(unsigned number) {
        const uint16_t port = static_cast<uint16_t>(3000 + number);
        bed_.put(kLan,
                 spec_of(tuple_between(kTcp, client(number), port, kServer, 21), {}, kSyn, 1000));
    }
    void request_file(unsigned number) {
        const uint16_t port = static_cast<uint16_t>(3000 + number);
        bed_.put(kLan, spec_of(tuple_between(kUdp, client(number), port, kServer, 69),
                               std::string("\0\1file\0octet\0", 13)));
    }
    void step() {
        for (const Seen& seen : bed_.take(kWan))
            play_server(seen);
        for (const Seen& seen : bed_.take(kLan))
            play_client(seen);
    }
    unsigned passive = 0, active = 0, transfers = 0, strange = 0;

  private:
    void reply(InterfaceIndex port, const Seen& to, const std::string& payload, uint8_t flags,
               uint32_t seq) {
        const auto length = static_cast<uint32_t>(to.payload.size());
        const uint32_t ack = to.seq + length + ((to.tcp_flags & kSyn) != 0);
        bed_.put(port, spec_of(invert(to.tuple), payload, flags, seq, ack));
    }
    void play_server(const Seen& seen) {
        const uint16_t port = seen.tuple.dst_port.host();
        if (seen.tuple.protocol == kUdp) return play_tftp_server(seen);
        if (port == 20) {
            active += seen.tcp_flags == (kSyn | kAck);
        } else if (seen.tcp_flags == kSyn) {
            reply(kWan, seen, {}, kSyn | kAck, 5000);
        } else if (seen.payload == kUser) {
            reply(kWan, seen, kGranted, kAck, 5001);
        } else if (seen.payload == "PASV\r\n") {
            const uint16_t chosen = static_cast<uint16_t>(kFirstPassive + next_port_++);
            reply(kWan, seen,
                  "227 Entering Passive Mode (" + comma_address(invert(seen.tuple), chosen) +
                      ").\r\n",
                  kAck, 5001 + kLine);
        } else if (seen.payload.starts_with("PORT ")) {
            const auto [address, to] = read_comma_address(seen.payload.substr(5));
            bed_.put(kWan, spec_of(tuple_between(kTcp, kServer, 20, address, to), {}, kSyn, 7000));
        } else {
            ++strange;
        }
    }
    // From a port of its own, to where the request came from (RFC 1350, 4).
    void play_tftp_server(const Seen& seen) {
        Tuple answer = invert(seen.tuple);
        if (seen.tuple.dst_port.host() != 69) {
            transfers += seen.payload.starts_with(std::string("\0\4", 2));
            return;
        }
        answer.src_port = be16::from_host(static_cast<uint16_t>(kFirstPassive + next_port_++));
        bed_.put(kWan, spec_of(answer, std::string("\0\3\0\1data", 8)));
    }
    void play_client(const Seen& seen) {
        const uint16_t from = seen.tuple.src_port.host(), own = seen.tuple.dst_port.host();
        if (seen.tuple.protocol == kUdp) {
            bed_.put(kLan, spec_of(invert(seen.tuple), std::string("\0\4\0\1", 4)));
        } else if (from == 21 && seen.tcp_flags == (kSyn | kAck)) {
            reply(kLan, seen, kUser, kAck, 1001);
        } else if (from == 21 && seen.payload == kGranted) {
            const Tuple back = invert(seen.tuple);
            const uint16_t data_port = static_cast<uint16_t>(own + 10000);
            reply(kLan, seen,
                  own % 2 == 0 ? "PASV\r\n" : "PORT " + comma_address(back, data_port) + "\r\n",
                  kAck, 1001 + kLine);
        } else if (from == 21 && seen.payload.starts_with("227 ")) {
            const auto [address, port] =
                read_comma_address(seen.payload.substr(seen.payload.find('(') + 1));
            Tuple data = invert(seen.tuple);
            data.src_port = be16::from_host(static_cast<uint16_t>(own + 10000));
            data.dst_port = be16::from_host(port);
            strange += address != kServer;
            bed_.put(kLan, spec_of(data, {}, kSyn, 9000));
        } else if (from == 20 && seen.tcp_flags == kSyn) {
            reply(kLan, seen, {}, kSyn | kAck, 8000);
        } else if (from >= kFirstPassive && seen.tcp_flags == (kSyn | kAck)) {
            ++passive;
        } else {
            ++strange;
        }
    }

    SpreadBed& bed_;
    unsigned next_port_ = 0;
};

}  // namespace

TEST_CASE("announced connections arrive at any worker and meet their expectation") {
    const auto mode = GENERATE(SteeringMode::Software, SteeringMode::Hardware);
    const uint16_t workers = GENERATE(uint16_t{2}, uint16_t{4});
    const bool is_translated = GENERATE(true, false);
    const uint32_t seed = GENERATE(1u, 2u, 3u);
    constexpr unsigned kConnections = 120, kFiles = 60;
    SpreadBed bed({.mode = mode,
                   .workers = workers,
                   .seed = seed,
                   .config = std::string(kConfig) + (is_translated ? kNat : "")});
    Hosts hosts(bed);
    for (unsigned number = 0; number < kConnections; ++number)
        hosts.open(number);
    for (unsigned number = 0; number < kFiles; ++number)
        hosts.request_file(number);
    bed.start();
    const bool is_over = SpreadBed::run([&] {
        hosts.step();
        const bool is_done =
            hosts.passive + hosts.active == kConnections && hosts.transfers == kFiles;
        return is_done || ((bed.bed().drops() + hosts.strange != 0) && bed.bed().is_settled());
    });
    CHECK(is_over);
    REQUIRE(bed.bed().settle());
    bed.bed().stop();
    CHECK(hosts.passive == kConnections / 2);
    CHECK(hosts.active == kConnections / 2);
    CHECK(hosts.transfers == kFiles);
    CHECK(hosts.strange == 0);
    CHECK(bed.drops(DropReason::Policy) == 0);
    CHECK(bed.bed().drops() == 0);
    CHECK(bed.rule_packets("ctl") == kConnections);
    CHECK(bed.rule_packets("data") == kConnections + kFiles);
    CHECK(bed.rule_packets("tftp-out") == kFiles);
    const SpreadBed::Homes homes = bed.homes();
    CHECK(homes.flows == 2 * (kConnections + kFiles));
    CHECK(homes.distinct == homes.flows);
    CHECK(homes.direct + homes.handed == homes.flows);
}

}  // namespace rampart::test
