#include "scenario/runner/player.h"

#include <algorithm>
#include <stdexcept>

#include <fmt/format.h>

#include "packet/parser.h"
#include "scenario/runner/leaving_packet.h"
#include "support/fragment_frame.h"
#include "support/frame_text.h"
#include "support/load.h"
#include "support/packet_line.h"
#include "support/pipeline.h"

namespace rampart::test {
namespace {

// True when `wanted`'s words stand in `text` in this order, others between them.
bool has_words(const std::string& text, const std::vector<std::string>& wanted) {
    auto next = wanted.begin();
    for (const std::string& word : words_of(text))
        if (next != wanted.end() && *next == word) ++next;
    return next == wanted.end();
}

// "cut 1020,1020,500": the IP lengths of the fragments that a datagram left in.
std::string cut_text(const Outcome& outcome) {
    if (joined_payload(outcome.fragments) != payload_of(outcome.frame))
        return "fragments that do not make up the datagram";
    std::string text = "cut ";
    for (const Bytes& fragment : outcome.fragments)
        text += std::to_string(ip_length_of(fragment)) + ",";
    text.pop_back();
    return text;
}

std::string joined(const std::vector<std::string>& words, size_t first) {
    std::string text;
    for (size_t i = first; i < words.size(); ++i)
        text += (i == first ? "" : " ") + words[i];
    return text;
}

std::string hex_text(const Bytes& bytes) {
    std::string text;
    for (const uint8_t byte : bytes)
        text += fmt::format("{:02x}", byte);
    return text;
}

DropReason drop_reason_of(const std::string& name) {
    for (size_t i = 0; i < kDropReasonCount; ++i)
        if (to_string(static_cast<DropReason>(i)) == name) return static_cast<DropReason>(i);
    throw std::runtime_error("no drop reason '" + name + "'");
}

class Player {
  public:
    explicit Player(const Scenario& scenario);
    PlayResult play();

  private:
    void run(const SendStep& step);
    void run(const AdvanceStep& step) { pipeline_.advance(step.ns, step.sweep); }
    void run(const FlowsStep& step);
    void run(const CountersStep& step);
    void run(const ReloadStep& step) { pipeline_.reload(load(step.config, scenario_.path)); }

    Arrival arrival_of(const std::string& row);
    void check(const PacketRow& row, const Arrival& arrival, const Outcome& outcome);
    void check_verdict(const std::string& expect, const Arrival& arrival, const Outcome& outcome);
    void check_leaving(const std::vector<std::string>& words, const Arrival& arrival,
                       const Outcome& outcome);
    void check_rewritten(const std::vector<std::string>& words, const Outcome& outcome);
    void check_class(const std::string& wanted, const Outcome& outcome);
    void check_reply(const std::vector<std::string>& words, DropReason reason,
                     const Outcome& outcome);
    void check_flow(const std::string& wanted, Bytes frame, const Outcome& outcome);
    void introduce(const std::string& line);
    std::string place_of(const Outcome& outcome) const;
    std::string place_of(const SentReply& reply) const {
        return reply.is_for_kernel ? "kernel" : port_name(reply.port);
    }
    std::string port_name(InterfaceIndex port) const;
    void fail(const std::string& expected, const std::string& actual);

    const Scenario& scenario_;
    Pipeline pipeline_;
    std::vector<SentReply> replies_left_;
    Chosen chosen_;
    std::string line_;  // of the packet that is checked
    std::string where_;
    PlayResult result_;
};

Player::Player(const Scenario& scenario)
    : scenario_(scenario),
      pipeline_(scenario.config ? load(*scenario.config, scenario.path) : nullptr,
                {.capacity = std::min(scenario.capacity, 4096u), .network = scenario.network}) {}

PlayResult Player::play() {
    for (const Step& step : scenario_.steps) {
        where_ = "line " + std::to_string(step.line);
        try {
            std::visit([this](const auto& what) { run(what); }, step.what);
        } catch (const std::runtime_error& error) {
            fail("a step that can be run", error.what());
            return result_;
        }
    }
    for (size_t reason = 0; reason < kDropReasonCount; ++reason)
        if (pipeline_.drops(static_cast<DropReason>(reason)) != 0)
            result_.reasons.insert(static_cast<DropReason>(reason));
    where_ = "at the end";
    if (!pipeline_.is_conserved())
        fail("received = forwarded + drops, and all mbufs back", "some packet is lost or doubled");
    return result_;
}

void Player::fail(const std::string& expected, const std::string& actual) {
    result_.failures.push_back(where_ + "\n      expected  " + expected + "\n      actual    " +
                               actual);
}

std::string Player::port_name(InterfaceIndex port) const {
    if (pipeline_.snapshot() == nullptr || port == kNoInterface) return "?";
    return pipeline_.snapshot()->ruleset.names.interfaces[port].name;
}

Arrival Player::arrival_of(const std::string& row) {
    std::vector<std::string> words = words_of(row);
    Arrival arrival;
    if (!words.empty() && words[0] == "kernel") {
        arrival.is_from_kernel = true;
        words.erase(words.begin());
    }
    if (words.empty()) throw std::runtime_error("an empty packet line");
    const int port = pipeline_.port_of(words[0]);
    if (port < 0) throw std::runtime_error("no interface named '" + words[0] + "'");
    // "segments N": the frame in two mbuf segments, cut after N bytes.
    if (words.size() > 2 && words[words.size() - 2] == "segments") {
        arrival.cuts.push_back(static_cast<uint32_t>(std::stoul(words.back())));
        words.resize(words.size() - 2);
    }
    arrival.port = static_cast<InterfaceIndex>(port);
    line_ = joined(words, 1);
    arrival.frame = frame_of(line_);
    return arrival;
}

void Player::run(const SendStep& step) {
    const std::string place = where_;
    std::vector<Arrival> arrivals;
    std::vector<std::string> lines;
    for (const PacketRow& row : step.rows) {
        const std::string packet = chosen_.put_into(row.packet);
        if (pipeline_.network() != nullptr) introduce(packet + " " + row.expect.value_or(""));
        arrivals.push_back(arrival_of(packet));
        lines.push_back(line_);
    }
    const std::vector<Outcome> outcomes = pipeline_.send(arrivals);
    replies_left_ = pipeline_.replies();
    result_.packets += arrivals.size();
    for (size_t i = 0; i < arrivals.size(); ++i) {
        where_ = place + ": " + step.rows[i].packet;
        line_ = lines[i];
        check(step.rows[i], arrivals[i], outcomes[i]);
    }
    where_ = place;
    for (const SentReply& reply : replies_left_)
        fail("no further reply", place_of(reply) + " reply " + frame_text(reply.frame));
}

// Neighbours are known, unless the scenario says which.
void Player::introduce(const std::string& line) {
    for (const IpAddress& address : addresses_in(line))
        pipeline_.network()->introduce(address);
}

void Player::check(const PacketRow& row, const Arrival& arrival, const Outcome& outcome) {
    if (row.expect) check_verdict(*row.expect, arrival, outcome);
    if (row.ct_class) check_class(*row.ct_class, outcome);
    if (row.flow) check_flow(*row.flow, arrival.frame, outcome);
}

void Player::check_verdict(const std::string& expect, const Arrival& arrival,
                           const Outcome& outcome) {
    const std::vector<std::string> words = words_of(chosen_.put_into(expect));
    if (words.size() >= 3 && words[1] == "reply")
        return check_reply(words, DropReason::Reject, outcome);
    if (words.size() >= 5 && words[0] == "drop" && words[3] == "reply")
        return check_reply({words.begin() + 2, words.end()}, drop_reason_of(words[1]), outcome);
    if (words.size() >= 4 && (words[2] == ">" || words[1] == "routed"))
        return check_leaving(words, arrival, outcome);
    if (words.size() >= 3 && words[1] == "as") return check_rewritten(words, outcome);
    std::string actual;
    if (outcome.verdict == Verdict::Forward) {
        actual = port_name(outcome.out_port) + " " +
                 (!outcome.fragments.empty()       ? cut_text(outcome)
                  : outcome.frame == arrival.frame ? "same"
                                                   : frame_text(outcome.frame));
    } else if (outcome.verdict == Verdict::Held) {
        actual = "held";
    } else if (outcome.verdict == Verdict::Deliver) {
        actual = outcome.frame == arrival.frame ? "local" : "local " + frame_text(outcome.frame);
    } else if (outcome.verdict == Verdict::Drop) {
        actual = "drop " + std::string(to_string(outcome.reason));
    } else {
        actual = "neither forwarded nor dropped";
    }
    if (actual != expect) return fail(expect, actual);
}

std::string Player::place_of(const Outcome& outcome) const {
    if (outcome.verdict == Verdict::Deliver) return "local";
    return outcome.verdict == Verdict::Forward ? port_name(outcome.out_port) : outcome.to_text();
}

// "wan C > D": it left there as it came, with these addresses; "wan routed PACKET": like this one.
// Both after a hop through a router; "local" stands for a port too.
void Player::check_leaving(const std::vector<std::string>& words, const Arrival& arrival,
                           const Outcome& outcome) {
    const std::string expected = joined(words, 0);
    if (place_of(outcome) != words[0])
        return fail(expected, outcome.to_text() + " " + frame_text(outcome.frame));
    std::string line = words[1] == "routed" ? joined(words, 2) : with_endpoints(line_, words, 1);
    const bool is_within = chosen_.read(line, outcome.frame);
    FrameSpec wanted = parse_packet_line(line);
    if (outcome.verdict == Verdict::Forward && !arrival.is_from_kernel) {
        --wanted.ttl;
        wanted.src_mac = kPeerMac;
        if (line.find("to-mac") == std::string::npos && outcome.frame.size() >= 6)
            std::copy_n(outcome.frame.begin(), 6, wanted.dst_mac.begin());
    }
    const Bytes frame = build_frame(wanted);
    if (is_within && outcome.frame == frame) return;
    fail(words[0] + " " + frame_text(frame) + "\n        " + hex_text(frame),
         place_of(outcome) + " " + frame_text(outcome.frame) + "\n        " +
             hex_text(outcome.frame));
}

// "wan as PACKET": it left there, byte for byte like this.
void Player::check_rewritten(const std::vector<std::string>& words, const Outcome& outcome) {
    const Bytes wanted = frame_of(joined(words, 2));
    if (outcome.verdict == Verdict::Forward && port_name(outcome.out_port) == words[0] &&
        outcome.frame == wanted)
        return;
    fail(joined(words, 0) + "\n        " + hex_text(wanted),
         outcome.to_text() + "\n        " + hex_text(outcome.frame));
}

// "new", or "invalid tcp_flags"; the reason may be left out.
void Player::check_class(const std::string& wanted, const Outcome& outcome) {
    std::string actual = outcome.ct_class ? std::string(to_string(*outcome.ct_class)) : "none";
    const bool names_reason = wanted.starts_with("invalid ");
    if (names_reason && outcome.ct_class == CtClass::Invalid)
        actual += " " + std::string(to_string(outcome.invalid));
    if (actual != wanted) return fail(wanted, actual);
    if (names_reason) result_.invalid.insert(outcome.invalid);
}

// "lan reply tcp ... RA seq 0 ack 1001": dropped, and this went out of lan.
void Player::check_reply(const std::vector<std::string>& words, DropReason reason,
                         const Outcome& outcome) {
    const std::string expected = joined(words, 0);
    if (outcome.verdict != Verdict::Drop || outcome.reason != reason)
        return fail(expected, outcome.to_text());
    const std::vector<std::string> wanted(words.begin() + 2, words.end());
    std::string actual = "no reply";
    for (auto reply = replies_left_.begin(); reply != replies_left_.end(); ++reply) {
        const std::string text = frame_text(reply->frame);
        actual = place_of(*reply) + " reply " + text;
        if (place_of(*reply) != words[0] || !has_words(text, wanted)) continue;
        if (text.find("bad-") != std::string::npos) break;
        replies_left_.erase(reply);
        return;
    }
    fail(expected, actual);
}

// The flow that this packet belongs to, in either direction; an ICMP error to the one it quotes. A
// datagram that has come in fragments is known by the whole of it.
void Player::check_flow(const std::string& wanted, Bytes frame, const Outcome& outcome) {
    Packet packet;
    uint32_t size = static_cast<uint32_t>(frame.size());
    ParseOutcome parsed = parse_frame(packet, frame.data(), size, size, {});
    if (parsed.kind == FrameKind::Fragment && !outcome.frame.empty()) {
        frame = outcome.frame;
        size = static_cast<uint32_t>(frame.size());
        parsed = parse_frame(packet, frame.data(), size, size, {});
    }
    std::string actual = "none";
    if (parsed.kind == FrameKind::Ip) {
        const Tuple tuple = packet.is_icmp_error ? embedded_tuple_of(packet) : tuple_of(packet);
        const Tuple inverse = invert(tuple);
        for (const FlowView& flow : pipeline_.flows()) {
            if (flow.original != tuple && flow.original != inverse && flow.reply != tuple &&
                flow.reply != inverse)
                continue;
            actual = flow.text.substr(tuple_text(flow.original).size() + 1);
        }
    }
    if (actual != wanted) fail("flow " + wanted, "flow " + actual);
}

void Player::run(const FlowsStep& step) {
    std::vector<std::string> actual;
    for (const FlowView& flow : pipeline_.flows())
        actual.push_back(flow.text);
    std::vector<std::string> wanted;
    for (const std::string& flow : step.flows)
        wanted.push_back(chosen_.put_into(flow));
    std::sort(actual.begin(), actual.end());
    std::sort(wanted.begin(), wanted.end());
    if (actual.size() != wanted.size())
        return fail(std::to_string(wanted.size()) + " flows: " + joined(wanted, 0),
                    std::to_string(actual.size()) + " flows: " + joined(actual, 0));
    for (size_t i = 0; i < actual.size(); ++i) {
        // A wanted flow may leave out the end: "udp A > B" says nothing about its time.
        if (actual[i] != wanted[i] && !actual[i].starts_with(wanted[i] + " ") &&
            !has_words(actual[i], words_of(wanted[i])))
            fail("flow " + wanted[i], "flow " + actual[i]);
    }
}

void Player::run(const CountersStep& step) {
    const auto packets = pipeline_.rule_packets();
    for (const auto& [rule, wanted] : step.packets) {
        const auto found = packets.find(rule);
        const std::string name = "counter " + rule + " ";
        if (found == packets.end()) {
            fail(name + std::to_string(wanted), "no such rule");
        } else if (found->second != wanted) {
            fail(name + std::to_string(wanted), name + std::to_string(found->second));
        }
    }
}

}  // namespace

PlayResult play(const Scenario& scenario) {
    return Player(scenario).play();
}

}  // namespace rampart::test
