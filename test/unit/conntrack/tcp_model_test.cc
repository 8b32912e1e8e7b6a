// Random connections, legal and not, through the TCP tracker and through the plain model of it.
// Both must say the same about each packet, and know the same afterwards.
#include "unit/conntrack/tcp_model.h"

#include <cstring>
#include <map>
#include <random>
#include <sstream>

#include <catch2/catch.hpp>

#include "conntrack/trackers/tcp_states.h"
#include "conntrack/trackers/tcp_window.h"
#include "conntrack/trackers/trackers.h"

namespace rampart::test {
namespace {

using Random = std::mt19937_64;

template <typename T>
T pick(Random& random, std::initializer_list<T> values) {
    return *(values.begin() + random() % values.size());
}

// The header of `packet` as bytes, and a Packet that points to it. There is no data behind it: a
// tracker looks at lengths only.
struct Wire {
    uint8_t header[60]{};
    Packet view;

    explicit Wire(const ModelPacket& packet) {
        uint8_t* option = header + 20;
        const auto put = [&option](std::initializer_list<unsigned> bytes) {
            for (const unsigned byte : bytes)
                *option++ = static_cast<uint8_t>(byte);
        };
        if (packet.scale) put({3, 3, *packet.scale});
        if (packet.sack_permitted) put({1, 4, 2});
        if (!packet.sack_right_edges.empty()) {
            put({5, static_cast<unsigned>(2 + 8 * packet.sack_right_edges.size())});
            for (const uint32_t edge : packet.sack_right_edges)
                for (const uint32_t number : {edge - 10, edge})
                    put({number >> 24, number >> 16, number >> 8, number});
        }
        const size_t size = (static_cast<size_t>(option - header) + 3) / 4 * 4;
        store(header + 4, be32::from_host(packet.seq));
        store(header + 8, be32::from_host(packet.ack));
        header[12] = static_cast<uint8_t>(size / 4 << 4);
        header[13] = static_cast<uint8_t>(
            (packet.fin ? tcp_flag::kFin : 0) | (packet.syn ? tcp_flag::kSyn : 0) |
            (packet.rst ? tcp_flag::kRst : 0) | (packet.ack_flag ? tcp_flag::kAck : 0));
        store(header + 14, be16::from_host(static_cast<uint16_t>(packet.window)));
        view.frame = header;
        view.frame_contiguous = static_cast<uint16_t>(size);
        view.in_port = 0;
        view.l4_offset = 0;
        view.l4_length = static_cast<uint16_t>(size + packet.length);
        view.protocol = ip_protocol::kTcp;
        view.tcp_flags = header[13];
    }
};

// A sequence or acknowledgement number that is likely to be near some edge.
uint32_t near(Random& random, uint32_t right, std::initializer_list<uint32_t> edges) {
    switch (random() % 8) {
        case 0:
            return pick(random, edges) + static_cast<uint32_t>(random() % 5) - 2;
        case 1:
            return pick(random, edges);
        case 2:
            return right + static_cast<uint32_t>(random() % 3000) - 1500;
        case 3:
            return random() % 4 == 0 ? static_cast<uint32_t>(random()) : 0;
        default:
            return right;
    }
}

ModelPacket random_packet(Random& random, const TcpModel& model) {
    ModelPacket packet;
    packet.direction = static_cast<int>(random() % 2);
    const TcpModel::Side& sender = model.side[packet.direction];
    const TcpModel::Side& receiver = model.side[1 - packet.direction];
    const char* kind = pick(random, {"S", "SA", "F", "R", "RA", ".", ".", ".", ".", "."});
    packet.syn = *kind == 'S';
    packet.rst = *kind == 'R';
    packet.fin = *kind == 'F';
    packet.ack_flag = kind[1] == 'A' || *kind == '.' || *kind == 'F';
    packet.length = pick(random, {0u, 0u, 0u, 1u, 10u, 900u, 1400u});
    if (packet.rst || (packet.syn && random() % 8 != 0)) packet.length = 0;
    packet.window = pick(random, {65535u, 65535u, 1000u, 1000u, 100u, 1u, 0u});
    packet.seq = near(random, sender.end,
                      {sender.maxend, receiver.maxack, model.last.seq, model.last.end,
                       model.last.ack, sender.end - receiver.maxwin - 1, sender.maxend - 1400});
    packet.ack = near(random, receiver.end,
                      {receiver.end - 66000, model.last.end, sender.maxack, receiver.maxend});
    if (random() % 8 == 0 && model.last.kind == "ack") {  // the same once more
        packet.direction = model.last.direction;
        packet.seq = model.last.seq;
        packet.ack = model.last.ack;
        packet.window = model.last.window;
        packet.length = 0;
    }
    if (packet.syn && random() % 2 == 0) packet.scale = pick(random, {0u, 2u, 7u, 14u, 15u});
    packet.sack_permitted = packet.syn && random() % 2 == 0;
    if (!packet.syn && random() % 6 == 0)
        packet.sack_right_edges.assign(1 + random() % 3,
                                       near(random, receiver.end, {receiver.maxend, packet.ack}));
    return packet;
}

// What a real host sends next, most of the time: without it few connections get anywhere.
ModelPacket legal_packet(Random& random, const TcpModel& model) {
    ModelPacket packet;
    const bool is_open = model.state != "SYN_SENT" && model.state != "SYN_RECV";
    packet.direction = is_open ? static_cast<int>(random() % 2) : model.state == "SYN_SENT";
    packet.syn = model.state == "SYN_SENT";
    packet.ack_flag = true;
    packet.seq = model.side[packet.direction].end;
    packet.ack = model.side[1 - packet.direction].end;
    if (packet.syn) packet.seq = static_cast<uint32_t>(random());
    packet.window = pick(random, {65535u, 3000u, 1000u});
    if (is_open && random() % 2 == 0) packet.length = pick(random, {1u, 100u, 1400u});
    if (is_open) packet.fin = random() % 12 == 0;
    if (packet.syn && random() % 2 == 0) packet.scale = pick(random, {0u, 7u});
    packet.sack_permitted = packet.syn;
    return packet;
}

ModelVerdict verdict_of(TrackResult result) {
    switch (result) {
        case TrackResult::Accept:
            return ModelVerdict::Accept;
        case TrackResult::Ignore:
            return ModelVerdict::Ignore;
        case TrackResult::Invalid:
            return ModelVerdict::Invalid;
        case TrackResult::Reopen:
            return ModelVerdict::Reopen;
        case TrackResult::AcceptAndErase:
            break;
    }
    return ModelVerdict::Erase;
}

std::string text_of(const TcpModel::Side& side) {
    std::stringstream text;
    text << side.end << " " << side.maxend << " " << side.maxwin << " maxack "
         << (side.knows_maxack ? side.maxack : 0) << " scale " << side.scale << " flags "
         << side.offered_scale << side.sack_permitted << side.close_init << side.liberal
         << side.unacked;
    return text.str();
}

std::string text_of(const TcpFlow& tcp, unsigned which) {
    const uint8_t flags = tcp.flags[which];
    TcpModel::Side side;
    side.end = tcp.side[which].end;
    side.maxend = tcp.side[which].max_end;
    side.maxwin = tcp.side[which].max_win;
    side.maxack = tcp.side[which].max_ack;
    side.scale = tcp.scale[which];
    side.offered_scale = flags & tcp_side::kWindowScale;
    side.sack_permitted = flags & tcp_side::kSackPermitted;
    side.close_init = flags & tcp_side::kCloseInit;
    side.liberal = flags & tcp_side::kBeLiberal;
    side.unacked = flags & tcp_side::kUnacked;
    side.knows_maxack = flags & tcp_side::kMaxAckSet;
    return text_of(side);
}

std::string text_of(const ModelPacket& packet) {
    std::stringstream text;
    text << (packet.direction == 0 ? "> " : "< ") << (packet.syn ? "S" : "")
         << (packet.fin ? "F" : "") << (packet.rst ? "R" : "") << (packet.ack_flag ? "." : "")
         << " seq " << packet.seq << " ack " << packet.ack << " win " << packet.window << " len "
         << packet.length;
    return text.str();
}

// One connection in both, and the bookkeeping that the packet path does around the tracker.
class Pair {
  public:
    Pair(const ModelSettings& settings, std::string& history)
        : settings_(settings), history_(history) {
        real_settings_.tcp_loose = settings.loose;
        real_settings_.tcp_be_liberal = settings.liberal;
        real_settings_.tcp_ignore_invalid_rst = settings.ignore_invalid_rst;
        real_settings_.tcp_max_retrans = static_cast<uint8_t>(settings.max_retrans);
    }

    // False: the connection is over, or never began.
    bool send(const ModelPacket& packet, bool is_first) {
        const Wire wire(packet);
        const TrackInput input{wire.view, flow_, static_cast<Direction>(packet.direction),
                               real_settings_, now_};
        const uint32_t left_s = ticks_left(flow_.deadline.load(), now_) / kTicksPerSecond;
        const TrackOutcome real = is_first ? kTcpTracker.first(input) : kTcpTracker.update(input);
        const ModelResult wanted =
            is_first ? model.first(packet, settings_) : model.next(packet, settings_, left_s);
        history_ += text_of(packet) + "\n";
        verdict = wanted.verdict;

        const bool is_refreshed = real.refresh && real.result != TrackResult::Ignore;
        compare(static_cast<int>(verdict_of(real.result)), static_cast<int>(wanted.verdict));
        compare(is_refreshed, wanted.timeout_s.has_value());
        if (is_refreshed) compare(real.timeout, ticks_of_seconds(wanted.timeout_s.value_or(0)));
        if (wanted.verdict == ModelVerdict::Reopen || wanted.verdict == ModelVerdict::Erase)
            return false;
        if (is_first && wanted.verdict == ModelVerdict::Invalid) return false;
        if (is_refreshed) flow_.deadline.store(now_ + real.timeout);
        if (packet.direction == 1 && wanted.verdict != ModelVerdict::Invalid) {
            flow_.set_status(flow_status::kSeenReply);
            model.seen_reply = true;
        }
        compare_knowledge();
        return is_same_;
    }

    void wait(Tick ticks) { now_ += ticks; }
    bool is_expired() const { return is_past(flow_.deadline.load(), now_); }
    bool is_same() const { return is_same_; }

    TcpModel model;
    ModelVerdict verdict = ModelVerdict::Accept;  // of the last packet

  private:
    // Not REQUIRE: it is far too slow for millions of packets.
    template <typename A, typename B>
    void compare(const A& actual, const B& wanted) {
        if (actual == wanted) return;
        is_same_ = false;
        INFO(history_);
        CHECK(actual == wanted);
    }

    void compare_knowledge() {
        compare(kTcpStateNames[flow_.state.load()], std::string_view(model.state));
        compare(flow_.has(flow_status::kAssured), model.assured);
        compare(uint32_t{flow_.tcp.retrans}, model.retrans);
        for (unsigned side = 0; side < 2; ++side) {
            // Texts only when something looks different: they are slow.
            const TcpSide& real = flow_.tcp.side[side];
            const TcpModel::Side& wanted = model.side[side];
            if (real.end != wanted.end || real.max_end != wanted.maxend ||
                real.max_win != wanted.maxwin || flow_.tcp.scale[side] != wanted.scale ||
                flags_differ(flow_.tcp.flags[side], wanted) ||
                (wanted.knows_maxack && real.max_ack != wanted.maxack))
                compare(text_of(flow_.tcp, side), text_of(wanted));
        }
    }

    static bool flags_differ(uint8_t flags, const TcpModel::Side& wanted) {
        return !(flags & tcp_side::kWindowScale) == wanted.offered_scale ||
               !(flags & tcp_side::kSackPermitted) == wanted.sack_permitted ||
               !(flags & tcp_side::kCloseInit) == wanted.close_init ||
               !(flags & tcp_side::kBeLiberal) == wanted.liberal ||
               !(flags & tcp_side::kUnacked) == wanted.unacked ||
               !(flags & tcp_side::kMaxAckSet) == wanted.knows_maxack;
    }

    ModelSettings settings_;
    ConntrackSettings real_settings_;
    Flow flow_;
    Tick now_ = 1000;
    bool is_same_ = true;
    std::string& history_;
};

// How often each verdict was given in each state: a test that never gets anywhere proves nothing.
using Coverage = std::map<std::pair<std::string, ModelVerdict>, uint64_t>;

// One random connection. Returns the packets sent; 0: the two disagreed.
unsigned play(uint64_t seed, Coverage& coverage) {
    Random random(seed);
    ModelSettings settings;
    settings.loose = random() % 4 != 0;
    settings.liberal = random() % 8 == 0;
    settings.ignore_invalid_rst = random() % 8 == 0;
    settings.max_retrans = pick(random, {3u, 3u, 0u, 1u});
    std::string history = "seed " + std::to_string(seed) + "\n";
    Pair pair(settings, history);

    ModelPacket first = random_packet(random, pair.model);
    first.direction = 0;
    if (random() % 4 != 0) {
        first = ModelPacket{};
        first.syn = true;
        first.window = pick(random, {65535u, 1000u});
        first.sack_permitted = random() % 2 == 0;
        if (random() % 2 == 0) first.scale = 7;
    }
    first.seq = static_cast<uint32_t>(random());
    if (!pair.send(first, true)) return pair.is_same() ? 1 : 0;
    const unsigned legal = static_cast<unsigned>(random() % 10);
    unsigned sent = 1;
    for (const size_t length = 4 + random() % 28; sent < length; ++sent) {
        pair.wait(random() % 5 == 0 ? static_cast<Tick>(random() % ticks_of_seconds(40)) : 1);
        if (pair.is_expired()) break;
        const ModelPacket packet = random() % 10 < legal ? legal_packet(random, pair.model)
                                                         : random_packet(random, pair.model);
        const std::string before = pair.model.state;
        const bool goes_on = pair.send(packet, false);
        ++coverage[{before, pair.verdict}];
        if (!goes_on) break;
    }
    return pair.is_same() ? sent : 0;
}

}  // namespace

TEST_CASE("the TCP tracker and a plain model of it agree about random connections") {
    uint64_t packets = 0;
    Coverage coverage;
    for (uint64_t seed = 1; seed <= 200000; ++seed) {
        const unsigned sent = play(seed, coverage);
        REQUIRE(sent != 0);
        packets += sent;
    }
    CHECK(packets > 1000000);
    for (const char* state : {"SYN_SENT", "SYN_RECV", "ESTABLISHED", "FIN_WAIT", "CLOSE_WAIT",
                              "LAST_ACK", "TIME_WAIT", "CLOSE", "SYN_SENT2"}) {
        for (const ModelVerdict verdict :
             {ModelVerdict::Accept, ModelVerdict::Ignore, ModelVerdict::Invalid}) {
            INFO(state << " verdict " << static_cast<int>(verdict));
            CHECK(coverage[{state, verdict}] > 100);
        }
    }
    CHECK(coverage[{"TIME_WAIT", ModelVerdict::Reopen}] > 100);
    CHECK(coverage[{"CLOSE", ModelVerdict::Reopen}] > 100);
    CHECK(coverage[{"ESTABLISHED", ModelVerdict::Erase}] > 100);
    CHECK(coverage[{"SYN_SENT", ModelVerdict::Erase}] > 100);
}

TEST_CASE("the short way of established TCP does exactly what the window check does") {
    Random random(1);
    unsigned taken = 0;
    for (unsigned round = 0; round < 400000; ++round) {
        TcpFlow tcp;
        const uint32_t base = static_cast<uint32_t>(random());
        for (unsigned side = 0; side < 2; ++side) {
            TcpSide& one = tcp.side[side];
            one.end = base + static_cast<uint32_t>(random() % 3000);
            one.max_end = one.end + static_cast<uint32_t>(random() % 3000);
            one.max_win = static_cast<uint32_t>(pick(random, {0, 1, 1000, 65535, 1 << 20}));
            one.max_ack = base + static_cast<uint32_t>(random() % 3000);
            tcp.scale[side] = static_cast<uint8_t>(random() % 15);
            tcp.flags[side] = static_cast<uint8_t>(random() % 64);
        }
        ModelPacket packet;
        packet.direction = static_cast<int>(random() % 2);
        packet.ack_flag = true;
        const TcpSide& sender = tcp.side[packet.direction];
        const TcpSide& receiver = tcp.side[1 - packet.direction];
        packet.seq = near(random, sender.end, {sender.max_end, sender.end - receiver.max_win});
        packet.ack = near(random, receiver.end, {receiver.end - 66000, sender.max_ack});
        packet.window = pick(random, {0u, 1u, 1000u, 65535u});
        packet.length = pick(random, {0u, 1u, 100u, 1400u});
        if (random() % 2 == 0) {
            tcp.last.direction = static_cast<Direction>(packet.direction);
            tcp.last.seq = packet.seq;
            tcp.last.ack = packet.ack;
            tcp.last.end = packet.seq + packet.length;
            tcp.last.win = static_cast<uint16_t>(packet.window);
            tcp.retrans = static_cast<uint8_t>(pick(random, {0, 3, 254, 255}));
        }
        const Wire wire(packet);
        const TcpSegment segment = read_segment(wire.view);
        const Direction direction = static_cast<Direction>(packet.direction);
        TcpFlow by_short_way = tcp, by_check = tcp;
        bool has_unacknowledged;
        const bool is_taken =
            advance_if_plain(by_short_way, direction, segment, has_unacknowledged);
        if (is_taken) {
            ++taken;
            if (segment.tcp_class == TcpClass::Ack)
                count_retransmission(by_short_way, direction, segment);
            if (check_window(by_check, direction, TcpState::Established, segment, false) !=
                WindowResult::Accept)
                FAIL("round " << round << ": the window check refuses it");
        }
        if (std::memcmp(&by_short_way, &by_check, offsetof(TcpFlow, retrans) + 1) != 0)
            FAIL("round " << round << ": the two know different things");
    }
    CHECK(taken > 40000);
}

}  // namespace rampart::test
