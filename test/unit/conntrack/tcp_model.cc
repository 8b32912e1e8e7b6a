#include "unit/conntrack/tcp_model.h"

#include <algorithm>
#include <map>

namespace rampart::test {
namespace {

// Of two numbers half the space apart each is after the other.
bool after(uint32_t a, uint32_t b) {
    return a != b && a - b <= 0x80000000u;
}

std::string kind_of(const ModelPacket& packet) {
    if (packet.rst) return "rst";
    if (packet.syn) return packet.ack_flag ? "synack" : "syn";
    if (packet.fin) return "fin";
    return packet.ack_flag ? "ack" : "none";
}

uint32_t end_of(const ModelPacket& packet) {
    return packet.seq + packet.length + (packet.syn ? 1 : 0) + (packet.fin ? 1 : 0);
}

constexpr const char* kStates[] = {"NONE",     "SYN_SENT",   "SYN_RECV", "ESTABLISHED",
                                   "FIN_WAIT", "CLOSE_WAIT", "LAST_ACK", "TIME_WAIT",
                                   "CLOSE",    "SYN_SENT2"};

// "-": the packet is ignored; "!": it is INVALID. In the order of kStates.
using Row = std::vector<std::string>;
const std::map<std::string, Row> kTable[2] = {
    {{"syn",
      {"SYN_SENT", "SYN_SENT", "-", "-", "-", "-", "-", "SYN_SENT", "SYN_SENT", "SYN_SENT2"}},
     {"synack", {"!", "!", "SYN_RECV", "!", "!", "!", "!", "!", "!", "SYN_RECV"}},
     {"fin",
      {"!", "!", "FIN_WAIT", "FIN_WAIT", "LAST_ACK", "LAST_ACK", "LAST_ACK", "TIME_WAIT", "CLOSE",
       "!"}},
     {"ack",
      {"ESTABLISHED", "!", "ESTABLISHED", "ESTABLISHED", "CLOSE_WAIT", "CLOSE_WAIT", "TIME_WAIT",
       "TIME_WAIT", "CLOSE", "!"}},
     {"rst",
      {"!", "CLOSE", "CLOSE", "CLOSE", "CLOSE", "CLOSE", "CLOSE", "CLOSE", "CLOSE", "CLOSE"}},
     {"none", Row(10, "!")}},
    {{"syn", {"!", "SYN_SENT2", "!", "!", "!", "!", "!", "SYN_SENT", "!", "SYN_SENT2"}},
     {"synack", {"!", "SYN_RECV", "-", "-", "-", "-", "-", "-", "-", "SYN_RECV"}},
     {"fin",
      {"!", "!", "FIN_WAIT", "FIN_WAIT", "LAST_ACK", "LAST_ACK", "LAST_ACK", "TIME_WAIT", "CLOSE",
       "!"}},
     {"ack",
      {"!", "-", "SYN_RECV", "ESTABLISHED", "CLOSE_WAIT", "CLOSE_WAIT", "TIME_WAIT", "TIME_WAIT",
       "CLOSE", "-"}},
     {"rst",
      {"!", "CLOSE", "CLOSE", "CLOSE", "CLOSE", "CLOSE", "CLOSE", "CLOSE", "CLOSE", "CLOSE"}},
     {"none", Row(10, "!")}}};

const std::map<std::string, uint32_t> kTimeout_s = {
    {"SYN_SENT", 120},       {"SYN_SENT2", 120}, {"SYN_RECV", 60},
    {"ESTABLISHED", 432000}, {"FIN_WAIT", 120},  {"CLOSE_WAIT", 60},
    {"LAST_ACK", 30},        {"TIME_WAIT", 120}, {"CLOSE", 10}};
constexpr uint32_t kMaxRetrans_s = 300, kUnacknowledged_s = 300, kClose_s = 10;

std::string look_up(const ModelPacket& packet, const std::string& state) {
    const size_t column = static_cast<size_t>(
        std::find(std::begin(kStates), std::end(kStates), state) - std::begin(kStates));
    return kTable[packet.direction].at(kind_of(packet)).at(column);
}

ModelResult invalid() {
    return {ModelVerdict::Invalid, std::nullopt};
}

}  // namespace

ModelResult TcpModel::first(const ModelPacket& packet, const ModelSettings& settings) {
    *this = TcpModel{};
    const std::string opened = look_up(packet, "NONE");
    if (opened == "!" || (opened == "ESTABLISHED" && !settings.loose)) return invalid();
    if (opened == "SYN_SENT") {
        learn_syn(packet);
    } else {
        side[0].end = end_of(packet);
        side[0].maxwin = std::max(packet.window, 1u);
        side[0].maxend = side[0].end + side[0].maxwin;
        for (Side& one : side)
            one.sack_permitted = one.liberal = true;
    }
    return run(packet, settings, 0);
}

ModelResult TcpModel::next(const ModelPacket& packet, const ModelSettings& settings,
                           uint32_t left_s) {
    return run(packet, settings, left_s);
}

ModelResult TcpModel::run(const ModelPacket& packet, const ModelSettings& settings,
                          uint32_t left_s) {
    const int peer = 1 - packet.direction;
    const std::string kind = kind_of(packet);
    std::string old_state = state;
    std::string target = look_up(packet, state);
    bool needs_window = true;

    if (target == "!") return invalid();
    if (target == "SYN_SENT" && (old_state == "TIME_WAIT" || old_state == "CLOSE")) {
        const bool own_reset = last.kind == "rst" && last.direction == packet.direction;
        if (side[0].close_init || side[1].close_init || own_reset)
            return {ModelVerdict::Reopen, std::nullopt};
        target = "-";
    }
    if (target == "-") {
        if (!resynchronise(packet)) {
            note_ignored(packet);
            return {ModelVerdict::Ignore, std::nullopt};
        }
        old_state = "SYN_SENT";
        target = "SYN_RECV";
    }
    if (old_state == "LAST_ACK" && target == "TIME_WAIT" && kind == "ack" && last.kind == "syn" &&
        last.direction == peer && last.expect_challenge) {
        last.expect_challenge = false;
        return {ModelVerdict::Ignore, std::nullopt};
    }
    if (target == "SYN_SENT2") last.simultaneous = true;
    if (target == "SYN_RECV" && packet.direction == 1 && kind == "ack" && last.simultaneous)
        target = "ESTABLISHED";
    if (kind == "rst" && check_reset(packet, settings, target, needs_window) == Fit::Invalid)
        return invalid();
    if (needs_window) {
        const Fit fit = check_window(packet, old_state, settings.liberal);
        if (fit == Fit::Ignore) return {ModelVerdict::Ignore, std::nullopt};
        if (fit == Fit::Invalid) return refuse_close(packet, left_s);
    }
    return commit(packet, settings, old_state, target);
}

// The answer to a SYN that was ignored shows that both ends have begun anew.
bool TcpModel::resynchronise(const ModelPacket& packet) {
    const int peer = 1 - packet.direction;
    if (kind_of(packet) != "synack" || last.kind != "syn" || last.direction != peer ||
        packet.ack != last.end)
        return false;
    Side& opener = side[peer];
    const uint32_t maxack = opener.maxack;
    opener = Side{};
    opener.maxack = maxack;
    opener.end = opener.maxend = last.end;
    opener.maxwin = std::max(last.window, 1u);
    opener.scale = last.scale;
    opener.offered_scale = last.offered_scale;
    opener.sack_permitted = last.sack_permitted;
    last.expect_challenge = false;
    const bool was_liberal = side[packet.direction].liberal;
    side[packet.direction] = Side{};
    side[packet.direction].liberal = was_liberal;
    return true;
}

void TcpModel::note_ignored(const ModelPacket& packet) {
    last.kind = kind_of(packet);
    last.direction = packet.direction;
    last.seq = packet.seq;
    last.end = end_of(packet);
    last.window = packet.window;
    if (packet.direction == 0 && last.kind == "syn") {
        last.offered_scale = packet.scale.has_value();
        last.scale = std::min(packet.scale.value_or(0), 14u);
        last.sack_permitted = packet.sack_permitted;
        last.simultaneous = false;
        last.expect_challenge = state == "LAST_ACK";
    }
    if (packet.direction == 1 && last.kind == "ack" && state == "SYN_SENT") last.ack = packet.ack;
}

TcpModel::Fit TcpModel::check_reset(const ModelPacket& packet, const ModelSettings& settings,
                                    std::string& target, bool& needs_window) const {
    const Side& peer = side[1 - packet.direction];
    const bool established = state == "ESTABLISHED" && assured;
    for (const char* closing : {"FIN_WAIT", "CLOSE_WAIT", "LAST_ACK", "TIME_WAIT", "CLOSE"}) {
        if (state == closing) {
            needs_window = false;
            return Fit::Accept;
        }
    }
    if (peer.knows_maxack && last.kind != "syn") {
        if (packet.seq == 0 && !established) return Fit::Accept;
        if (after(peer.maxack, packet.seq) && !settings.ignore_invalid_rst) return Fit::Invalid;
        if (!established || packet.seq == peer.maxack) return Fit::Accept;
        if (last.kind == "ack" && last.direction == packet.direction && packet.seq == last.end)
            return Fit::Accept;
        target = state;
    }
    const bool answers_syn = seen_reply && last.kind == "syn" && last.direction != packet.direction;
    if ((answers_syn || (!assured && last.kind == "ack")) && packet.ack == last.end)
        needs_window = false;
    if (state == "SYN_SENT" && last.kind == "ack" && last.direction == 1 && packet.seq == last.ack)
        needs_window = false;
    return Fit::Accept;
}

void TcpModel::learn_syn(const ModelPacket& packet) {
    Side& sender = side[packet.direction];
    sender.end = sender.maxend = end_of(packet);
    sender.maxwin = std::max(packet.window, 1u);
    if (packet.has_options()) {  // else what an earlier SYN said is left
        sender.offered_scale = packet.scale.has_value();
        sender.scale = std::min(packet.scale.value_or(0), 14u);
        sender.sack_permitted = packet.sack_permitted;
        sender.close_init = sender.unacked = sender.knows_maxack = false;
    }
    if (packet.direction == 1 && !(side[0].offered_scale && side[1].offered_scale))
        side[0].scale = side[1].scale = 0;
}

TcpModel::Fit TcpModel::check_window(const ModelPacket& packet, const std::string& old_state,
                                     bool liberal) {
    Side& sender = side[packet.direction];
    Side& receiver = side[1 - packet.direction];
    uint32_t seq = packet.seq, end = end_of(packet), ack = packet.ack, sack = packet.ack;
    if (receiver.sack_permitted) {
        for (const uint32_t edge : packet.sack_right_edges)
            if (after(edge, sack)) sack = edge;
    }
    if (sender.maxwin == 0) {
        if (packet.syn) {
            learn_syn(packet);
            if (!packet.ack_flag) return Fit::Accept;
        } else {
            sender.end = end;
            sender.maxwin = std::max(packet.window << sender.scale, 1u);
            sender.maxend = end + sender.maxwin;
            if (receiver.maxwin == 0)
                receiver.end = receiver.maxend = sack;
            else if (sack == receiver.end + 1)
                receiver.end += 1;
        }
    } else if (packet.syn && after(end, sender.end) &&
               (old_state == "SYN_SENT" || old_state == "SYN_RECV")) {
        learn_syn(packet);
        if (packet.direction == 1 && !packet.ack_flag) return Fit::Accept;
    }
    if (!packet.ack_flag || (packet.rst && ack == 0)) ack = sack = receiver.end;
    if (packet.rst && seq == 0 && old_state == "SYN_SENT") seq = end = sender.end;

    const uint32_t ack_reach = std::max(sender.maxwin, 66000u);
    const bool upper_data = !after(seq, sender.maxend);
    const bool upper_ack = !after(sack, receiver.end);
    const bool lower_data = receiver.maxwin == 0 || after(end, sender.end - receiver.maxwin - 1);
    const bool lower_ack = after(sack, receiver.end - ack_reach - 1);
    if (!(upper_data && upper_ack && lower_data && lower_ack)) {
        const bool overshoot = !upper_data && lower_data && upper_ack && lower_ack &&
                               end - sender.maxend + 1 <= receiver.maxwin;
        if (overshoot) {
            sender.end = end;
            sender.unacked = true;
        }
        if (liberal || sender.liberal) return Fit::Accept;
        if (!upper_data) return overshoot ? Fit::Ignore : Fit::Invalid;
        return upper_ack ? Fit::Ignore : Fit::Invalid;
    }

    const uint32_t window = packet.syn ? packet.window : packet.window << sender.scale;
    sender.maxwin = std::max(sender.maxwin, window + (sack - ack));
    if (after(end, sender.end)) {
        sender.end = end;
        sender.unacked = true;
    }
    if (packet.ack_flag && (!sender.knows_maxack || after(ack, sender.maxack))) {
        sender.maxack = ack;
        sender.knows_maxack = true;
    }
    if (receiver.maxwin != 0 && after(end, sender.maxend)) receiver.maxwin += end - sender.maxend;
    if (after(sack + window, receiver.maxend - 1))
        receiver.maxend = sack + window + (window == 0 ? 1 : 0);
    if (ack == receiver.end) receiver.unacked = false;

    if (kind_of(packet) == "ack") {
        const bool repeated = last.direction == packet.direction && last.seq == packet.seq &&
                              last.ack == ack && last.end == end && last.window == packet.window;
        retrans = repeated ? std::min(retrans + 1, 255u) : 0;
        last.direction = packet.direction;
        last.seq = packet.seq;
        last.ack = ack;
        last.end = end;
        last.window = packet.window;
    }
    return Fit::Accept;
}

uint32_t TcpModel::timeout_of(const ModelPacket& packet, const ModelSettings& settings,
                              const std::string& new_state) const {
    const uint32_t of_state = kTimeout_s.at(new_state);
    if (retrans >= settings.max_retrans && of_state > kMaxRetrans_s) return kMaxRetrans_s;
    if (packet.rst) return kClose_s;
    if ((side[0].unacked || side[1].unacked) && of_state > kUnacknowledged_s)
        return kUnacknowledged_s;
    if (last.window == 0 && of_state > kMaxRetrans_s) return kMaxRetrans_s;
    return of_state;
}

ModelResult TcpModel::commit(const ModelPacket& packet, const ModelSettings& settings,
                             const std::string& old_state, const std::string& new_state) {
    last.kind = kind_of(packet);
    last.direction = packet.direction;
    state = new_state;
    if (new_state == "FIN_WAIT" && old_state != "FIN_WAIT")
        side[packet.direction].close_init = true;
    uint32_t timeout = timeout_of(packet, settings, new_state);
    if (!seen_reply) {
        if (packet.rst) return {ModelVerdict::Erase, std::nullopt};
        if (last.kind == "syn" && old_state == "SYN_SENT")
            return {ModelVerdict::Accept, std::nullopt};
        if (new_state == "ESTABLISHED") timeout = std::min(timeout, kUnacknowledged_s);
    } else if (!assured && new_state == "ESTABLISHED" &&
               (old_state == "SYN_RECV" || old_state == "ESTABLISHED")) {
        assured = true;
    }
    return {ModelVerdict::Accept, timeout};
}

// An RST or FIN outside the window: when both sides send one, the entry need not live for days.
ModelResult TcpModel::refuse_close(const ModelPacket& packet, uint32_t left_s) {
    if (!assured || (!packet.rst && kind_of(packet) != "fin")) return invalid();
    const bool other_side_too =
        last.direction != packet.direction && (last.kind == "rst" || last.kind == "fin");
    if (!other_side_too) {
        last.kind = kind_of(packet);
        last.direction = packet.direction;
        return invalid();
    }
    if (left_s < 120 || left_s <= kUnacknowledged_s) return invalid();
    return {ModelVerdict::Invalid, kUnacknowledged_s};
}

}  // namespace rampart::test
