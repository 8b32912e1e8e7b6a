// Real workers behind NICs that spread packets as they like: whatever a host sends comes out once,
// in order, and answers find the worker that has their flow. The hosts answer while the workers go
// on, so notices and answers overtake each other as they would outside.
#include <algorithm>
#include <map>
#include <set>

#include <catch2/catch.hpp>

#include "support/packet_line.h"
#include "support/spread_bed.h"

namespace rampart::test {
namespace {

using ip_protocol::kIcmp, ip_protocol::kTcp, ip_protocol::kUdp;

std::string label(unsigned flow, unsigned number) {
    std::string text = std::to_string(flow) + "/" + std::to_string(number) + "/";
    return text + std::string(24 - text.size(), '.');
}

struct Label {
    unsigned flow = 0, number = 0;
};

Label read_label(const std::string& payload) {
    const size_t slash = payload.find('/');
    if (slash == std::string::npos) return {UINT32_MAX, 0};
    return {static_cast<unsigned>(std::stoul(payload)),
            static_cast<unsigned>(std::stoul(payload.substr(slash + 1)))};
}

// Clients that send kPackets each, and servers that answer each at once.
class Conversations {
  public:
    static constexpr unsigned kPackets = 6;

    Conversations(SpreadBed& bed, std::vector<Tuple> flows)
        : bed_(bed),
          flows_(std::move(flows)),
          sent_(flows_.size()),
          outside_(flows_.size()),
          asked_(flows_.size()),
          answered_(flows_.size()) {}

    // `is_patient`: a client sends its first packet until it is answered, then the others.
    bool run(InterfaceIndex client_port, bool is_patient = false) {
        client_ = client_port;
        is_patient_ = is_patient;
        return SpreadBed::run([this] {
            send();
            answer();
            return receive();
        });
    }
    // The client's tuple as the server sees it.
    const std::vector<Tuple>& outside() const { return outside_; }
    bool is_in_order() const { return is_in_order_; }
    // Every answer came from whom the client talks to, to whom it is.
    bool is_addressed() const { return is_addressed_; }

  private:
    void send() {
        for (size_t flow = 0; flow < flows_.size(); ++flow) {
            const unsigned number = sent_[flow];
            if (number == kPackets) continue;
            if (is_patient_ && answered_[flow] == 0) {
                if (number != 0 && !is_time_to_repeat()) continue;
                sent_[flow] = 1;
                put(flow, 0);
                continue;
            }
            put(flow, number);
            ++sent_[flow];
        }
    }
    // What was refused is sent again when all that was sent has ended.
    bool is_time_to_repeat() const { return bed_.bed().is_settled(); }
    void put(size_t flow, unsigned number) {
        bed_.put(client_, spec_of(flows_[flow], label(static_cast<unsigned>(flow), number)));
    }
    void answer() {
        for (const Seen& seen : bed_.take(1 - client_)) {
            const Label read = read_label(seen.payload);
            if (read.flow >= flows_.size()) {
                is_addressed_ = false;
                continue;
            }
            Tuple& outside = outside_[read.flow];
            if (outside.family != Family::None && !(outside == seen.tuple)) is_addressed_ = false;
            outside = seen.tuple;
            if (read.number != asked_[read.flow] && !is_patient_) is_in_order_ = false;
            asked_[read.flow] = read.number + 1;
            bed_.put(static_cast<InterfaceIndex>(1 - client_),
                     spec_of(invert(seen.tuple), seen.payload));
        }
    }
    bool receive() {
        for (const Seen& seen : bed_.take(client_)) {
            const Label read = read_label(seen.payload);
            if (read.flow >= flows_.size() || !(seen.tuple == invert(flows_[read.flow]))) {
                is_addressed_ = false;
                continue;
            }
            // A first packet that was sent again although its answer was under way.
            if (is_patient_ && read.number == 0 && answered_[read.flow] != 0) continue;
            if (read.number != answered_[read.flow]) is_in_order_ = false;
            answered_[read.flow] = read.number + 1;
        }
        return std::all_of(answered_.begin(), answered_.end(),
                           [](unsigned count) { return count == kPackets; });
    }

    SpreadBed& bed_;
    std::vector<Tuple> flows_;
    std::vector<unsigned> sent_;
    std::vector<Tuple> outside_;
    std::vector<unsigned> asked_, answered_;
    InterfaceIndex client_ = kLan;
    bool is_patient_ = false;
    bool is_in_order_ = true, is_addressed_ = true;
};

std::string host(unsigned number) {
    return "10." + std::to_string(number / 65536 % 256) + "." + std::to_string(number / 256 % 256) +
           "." + std::to_string(number % 256);
}

// From random clients to random servers.
std::vector<Tuple> random_flows(std::mt19937& random, size_t count) {
    std::vector<Tuple> flows;
    for (size_t flow = 0; flow < count; ++flow) {
        const bool is_icmp = flow % 8 == 7;
        const auto port = static_cast<uint16_t>(1024 + random() % 64000);
        const std::string server = "203.0.113." + std::to_string(1 + random() % 250);
        flows.push_back(tuple_between(is_icmp ? kIcmp : kUdp,
                                      host(static_cast<unsigned>(1 + random() % 0xfffff)), port,
                                      server, is_icmp ? 8 << 8 : 53));
    }
    return flows;
}

void check_conserved(SpreadBed& bed, uint64_t drops) {
    WorkerBed& workers = bed.bed();
    CHECK(workers.drops() == drops);
    CHECK(workers.sum(&WorkerCounters::received) == workers.put_count());
    CHECK(workers.sum(&WorkerCounters::handed_in) == workers.sum(&WorkerCounters::handed_out));
    CHECK(workers.sum(&WorkerCounters::forwarded) + drops == workers.put_count());
    CHECK(bed.take(kLan).empty());
    CHECK(bed.take(kWan).empty());
}

size_t distinct(const std::vector<Tuple>& tuples) {
    std::set<std::string> texts;
    for (const Tuple& tuple : tuples)
        texts.insert(std::string(reinterpret_cast<const char*>(&tuple), sizeof(tuple)));
    return texts.size();
}

constexpr char kAccept[] = "chains: { forward: { policy: accept } }\n";
constexpr char kMasquerade[] =
    "chains:\n"
    "  forward:\n"
    "    policy: drop\n"
    "    rules:\n"
    "      - { id: est, state: [established, related], action: accept }\n"
    "      - { id: new, in: lan, state: new, action: accept }\n"
    "nat: { postrouting: [{ id: out, out: wan, masquerade: true }] }\n";

}  // namespace

TEST_CASE("routed flows without translation pass any number of workers in order") {
    const auto mode = GENERATE(SteeringMode::Software, SteeringMode::Hardware);
    const uint16_t workers = GENERATE(uint16_t{2}, uint16_t{4});
    std::mt19937 random(51);
    SpreadBed bed({.mode = mode, .workers = workers, .config = kAccept});
    Conversations talks(bed, random_flows(random, 200));
    bed.start();
    CHECK(talks.run(kLan));
    REQUIRE(bed.bed().settle());
    bed.bed().stop();
    CHECK(talks.is_in_order());
    CHECK(talks.is_addressed());
    check_conserved(bed, 0);
    const SpreadBed::Homes homes = bed.homes();
    CHECK(homes.flows == 200);
    CHECK(homes.direct == 200);
}

TEST_CASE("masqueraded flows pass any number of workers in order, and answers come home") {
    const auto mode = GENERATE(SteeringMode::Software, SteeringMode::Hardware);
    const uint16_t workers = GENERATE(uint16_t{2}, uint16_t{4});
    std::mt19937 random(52);
    SpreadBed bed({.mode = mode, .workers = workers, .config = kMasquerade});
    Conversations talks(bed, random_flows(random, 300));
    bed.start();
    CHECK(talks.run(kLan));
    REQUIRE(bed.bed().settle());
    bed.bed().stop();
    CHECK(talks.is_in_order());
    CHECK(talks.is_addressed());
    check_conserved(bed, 0);
    CHECK(distinct(talks.outside()) == 300);
    for (const Tuple& outside : talks.outside())
        REQUIRE(outside.src_address().to_string() == "192.0.2.1");
    const SpreadBed::Homes homes = bed.homes();
    CHECK(homes.flows == 300);
    CHECK(homes.distinct == 300);
    CHECK(homes.direct + homes.handed == 300);
    CHECK(bed.rule_packets("out") == 300);
    CHECK(bed.rule_packets("new") + bed.rule_packets("est") == bed.bed().put_count());
}

TEST_CASE("forwarded ports pass any number of workers in order") {
    const auto mode = GENERATE(SteeringMode::Software, SteeringMode::Hardware);
    std::mt19937 random(53);
    SpreadBed bed({.mode = mode,
                   .config = "chains: { forward: { policy: accept } }\n"
                             "nat: { prerouting: [{ id: web, in: wan, proto: udp, dport: 80, "
                             "dnat: \"10.9.9.9:8080\" }] }\n"});
    std::vector<Tuple> flows;
    for (unsigned flow = 0; flow < 200; ++flow)
        flows.push_back(tuple_between(kUdp, "198.51.100." + std::to_string(1 + flow % 200),
                                      static_cast<uint16_t>(2000 + random() % 60000), "192.0.2.1",
                                      80));
    Conversations talks(bed, flows);
    bed.start();
    CHECK(talks.run(kWan));
    REQUIRE(bed.bed().settle());
    bed.bed().stop();
    CHECK(talks.is_in_order());
    CHECK(talks.is_addressed());
    check_conserved(bed, 0);
    for (const Tuple& outside : talks.outside())
        REQUIRE(outside.dst_address().to_string() == "10.9.9.9");
    const SpreadBed::Homes homes = bed.homes();
    CHECK(homes.flows == 200);
    CHECK(homes.direct == 200);
    CHECK(bed.rule_packets("web") == 200);
}

// Four ports for three flows to each server: whoever owns the flow must have one of them, and
// nobody may have one twice. Refused first packets are sent again.
TEST_CASE("a few ports are shared by all workers, and a moved flow is counted once") {
    const auto mode = GENERATE(SteeringMode::Software, SteeringMode::Hardware);
    SpreadBed bed({.mode = mode,
                   .config = "chains:\n"
                             "  raw: { rules: [{ id: seen, set_mark: 7 }] }\n"
                             "  forward:\n"
                             "    policy: drop\n"
                             "    rules:\n"
                             "      - { id: est, state: established, action: accept }\n"
                             "      - { id: new, in: lan, state: new, mark: 7, action: accept }\n"
                             "nat: { postrouting: [{ id: out, out: wan, proto: udp, snat: { to: "
                             "192.0.2.50, ports: 5000-5003 } }] }\n"});
    std::vector<Tuple> flows;
    for (unsigned flow = 0; flow < 150; ++flow)
        flows.push_back(tuple_between(kUdp, host(flow + 1), static_cast<uint16_t>(2000 + flow),
                                      "203.0.113." + std::to_string(1 + flow / 3), 53));
    Conversations talks(bed, flows);
    bed.start();
    CHECK(talks.run(kLan, true));
    REQUIRE(bed.bed().settle());
    bed.bed().stop();
    CHECK(talks.is_in_order());
    CHECK(talks.is_addressed());
    const uint64_t refused = bed.drops(DropReason::NatExhausted);
    check_conserved(bed, refused);
    CHECK(distinct(talks.outside()) == 150);
    const SpreadBed::Homes homes = bed.homes();
    CHECK(homes.flows == 150);
    CHECK(homes.distinct == 150);
    CHECK(homes.direct == 150);
    CHECK(bed.rule_packets("out") == 150 + refused);
    CHECK(bed.rule_packets("seen") == bed.bed().put_count());
    CHECK(bed.rule_packets("new") + bed.rule_packets("est") == bed.bed().put_count());
}

TEST_CASE("errors about translated packets reach the client through any worker") {
    const auto mode = GENERATE(SteeringMode::Software, SteeringMode::Hardware);
    std::mt19937 random(54);
    SpreadBed bed({.mode = mode, .config = kMasquerade});
    const std::vector<Tuple> flows = random_flows(random, 200);
    Conversations talks(bed, flows);
    bed.start();
    REQUIRE(talks.run(kLan));
    size_t expected = 0;
    for (size_t flow = 0; flow < flows.size(); ++flow) {
        const Tuple& outside = talks.outside()[flow];
        FrameSpec error = spec_of(tuple_between(kIcmp, "198.51.100.7", 0, "192.0.2.1", 3 << 8 | 3));
        error.payload = build_ip_packet(spec_of(outside, label(0, 0)));
        bed.put(kWan, error);
        ++expected;
    }
    std::map<std::string, int> told;
    size_t received = 0;
    CHECK(SpreadBed::run([&] {
        for (const Seen& seen : bed.take(kLan)) {
            ++received;
            CHECK(seen.is_error);
            const auto* bytes = reinterpret_cast<const char*>(&seen.quoted);
            ++told[std::string(bytes, sizeof(Tuple))];
        }
        return received >= expected;
    }));
    REQUIRE(bed.bed().settle());
    bed.bed().stop();
    check_conserved(bed, 0);
    for (const Tuple& flow : flows)
        CHECK(told[std::string(reinterpret_cast<const char*>(&flow), sizeof(flow))] == 1);
}

TEST_CASE("fragments in both directions meet on the worker of their translated flow") {
    const auto mode = GENERATE(SteeringMode::Software, SteeringMode::Hardware);
    constexpr unsigned kDatagrams = 100, kPieces = 3;
    SpreadBed bed({.mode = mode, .config = kMasquerade});
    const auto put_pieces = [&](InterfaceIndex port, const std::string& from, const std::string& to,
                                unsigned id) {
        for (const char* piece : {"800+800", "0+800", "1600+408"})
            bed.put(port, frame_of("udp " + from + " > " + to + " len 2000 piece " + piece +
                                   " id " + std::to_string(id)));
    };
    for (unsigned flow = 0; flow < kDatagrams; ++flow)
        put_pieces(kLan, host(flow + 1) + ":2000", "203.0.113.5:53", flow);
    bed.start();
    // The first pieces tell where the datagrams come from now.
    std::vector<std::string> outside;
    size_t pieces = 0;
    CHECK(SpreadBed::run([&] {
        for (const Bytes& frame : bed.bed().take(kWan)) {
            ++pieces;
            const bool is_first = ((frame[20] & 0x1f) | frame[21]) == 0;
            if (is_first)
                outside.push_back("192.0.2.1:" + std::to_string(frame[34] << 8 | frame[35]));
        }
        return pieces == kDatagrams * kPieces;
    }));
    REQUIRE(outside.size() == kDatagrams);
    for (unsigned flow = 0; flow < kDatagrams; ++flow)
        put_pieces(kWan, "203.0.113.5:53", outside[flow], 1000 + flow);
    std::set<std::string> reached;
    pieces = 0;
    CHECK(SpreadBed::run([&] {
        for (const Bytes& frame : bed.bed().take(kLan)) {
            ++pieces;
            reached.insert(std::string(frame.begin() + 30, frame.begin() + 34));
        }
        return pieces == kDatagrams * kPieces;
    }));
    REQUIRE(bed.bed().settle());
    bed.bed().stop();
    CHECK(reached.size() == kDatagrams);
    CHECK(bed.bed().drops() == 0);
    CHECK(bed.bed().held() == 0);
    CHECK(bed.bed().sum(&WorkerCounters::inserted) == kDatagrams);
    CHECK(bed.homes().direct == kDatagrams);
}

// Whatever key and table a NIC has: ports are chosen so that answers come to the queue of the
// owner, or the worker that gets them knows the owner.
TEST_CASE("answers to translated flows reach their owner with any key of the NIC") {
    constexpr unsigned kFlows = 60;
    size_t direct = 0, handed = 0, flows = 0;
    for (uint32_t seed = 1; seed <= 12; ++seed) {
        const uint16_t workers = seed % 2 == 0 ? 4 : 2;
        std::mt19937 random(seed);
        SpreadBed bed({.mode = SteeringMode::Hardware,
                       .workers = workers,
                       .seed = 100 + seed,
                       .capacity = 512,
                       .config = kMasquerade});
        Conversations talks(bed, random_flows(random, kFlows));
        bed.start();
        CHECK(talks.run(kLan));
        REQUIRE(bed.bed().settle());
        bed.bed().stop();
        CHECK(talks.is_in_order());
        CHECK(talks.is_addressed());
        check_conserved(bed, 0);
        const SpreadBed::Homes homes = bed.homes();
        CHECK(homes.flows == kFlows);
        CHECK(homes.direct + homes.handed == kFlows);
        flows += homes.flows;
        direct += homes.direct;
        handed += homes.handed;
    }
    // All of TCP and UDP; identifiers of ICMP are not looked at by a NIC.
    INFO("direct " << direct << ", handed over " << handed << " of " << flows);
    CHECK(direct >= flows * 7 / 8);
    CHECK(direct + handed == flows);
}

}  // namespace rampart::test
