#include "scenario/runner/player.h"

#include <algorithm>
#include <stdexcept>

#include <fmt/format.h>

#include "packet/parser.h"
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
    void check_rewritten(const std::vector<std::string>& words, const Outcome& outcome);
    void check_class(const std::string& wanted, const Outcome& outcome);
    void check_reply(const std::vector<std::string>& words, const Outcome& outcome);
    void check_flow(const std::string& wanted, Bytes frame);
    std::string port_name(InterfaceIndex port) const;
    void fail(const std::string& expected, const std::string& actual);

    const Scenario& scenario_;
    Pipeline pipeline_;
    std::vector<SentReply> replies_left_;
    std::string where_;
    PlayResult result_;
};

Player::Player(const Scenario& scenario)
    : scenario_(scenario),
      pipeline_(scenario.config ? load(*scenario.config, scenario.path) : nullptr,
                {.capacity = std::min(scenario.capacity, 4096u)}) {}

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
    if (words.empty()) throw std::runtime_error("an empty packet line");
    const int port = pipeline_.port_of(words[0]);
    if (port < 0) throw std::runtime_error("no interface named '" + words[0] + "'");
    Arrival arrival;
    // "segments N": the frame in two mbuf segments, cut after N bytes.
    if (words.size() > 2 && words[words.size() - 2] == "segments") {
        arrival.cuts.push_back(static_cast<uint32_t>(std::stoul(words.back())));
        words.resize(words.size() - 2);
    }
    arrival.port = static_cast<InterfaceIndex>(port);
    arrival.frame = frame_of(joined(words, 1));
    return arrival;
}

void Player::run(const SendStep& step) {
    const std::string place = where_;
    std::vector<Arrival> arrivals;
    for (const PacketRow& row : step.rows)
        arrivals.push_back(arrival_of(row.packet));
    const std::vector<Outcome> outcomes = pipeline_.send(arrivals);
    replies_left_ = pipeline_.replies();
    result_.packets += arrivals.size();
    for (size_t i = 0; i < arrivals.size(); ++i) {
        where_ = place + ": " + step.rows[i].packet;
        check(step.rows[i], arrivals[i], outcomes[i]);
    }
    where_ = place;
    for (const SentReply& reply : replies_left_)
        fail("no further reply", port_name(reply.port) + " reply " + frame_text(reply.frame));
}

void Player::check(const PacketRow& row, const Arrival& arrival, const Outcome& outcome) {
    if (row.expect) check_verdict(*row.expect, arrival, outcome);
    if (row.ct_class) check_class(*row.ct_class, outcome);
    // A datagram that has come in fragments is known by the whole of it.
    if (row.flow) check_flow(*row.flow, outcome.frame.empty() ? arrival.frame : outcome.frame);
}

void Player::check_verdict(const std::string& expect, const Arrival& arrival,
                           const Outcome& outcome) {
    const std::vector<std::string> words = words_of(expect);
    if (words.size() >= 3 && words[1] == "reply") return check_reply(words, outcome);
    if (words.size() >= 3 && words[1] == "as") return check_rewritten(words, outcome);
    std::string actual;
    if (outcome.verdict == Verdict::Forward) {
        actual = port_name(outcome.out_port) + " " +
                 (!outcome.fragments.empty()       ? cut_text(outcome)
                  : outcome.frame == arrival.frame ? "same"
                                                   : frame_text(outcome.frame));
    } else if (outcome.verdict == Verdict::Held) {
        actual = "held";
    } else if (outcome.verdict == Verdict::Drop) {
        actual = "drop " + std::string(to_string(outcome.reason));
    } else {
        actual = "neither forwarded nor dropped";
    }
    if (actual != expect) return fail(expect, actual);
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
void Player::check_reply(const std::vector<std::string>& words, const Outcome& outcome) {
    const std::string expected = joined(words, 0);
    if (outcome.verdict != Verdict::Drop || outcome.reason != DropReason::Reject)
        return fail(expected, outcome.to_text());
    const std::vector<std::string> wanted(words.begin() + 2, words.end());
    std::string actual = "no reply";
    for (auto reply = replies_left_.begin(); reply != replies_left_.end(); ++reply) {
        const std::string text = frame_text(reply->frame);
        actual = port_name(reply->port) + " reply " + text;
        if (port_name(reply->port) != words[0] || !has_words(text, wanted)) continue;
        if (text.find("bad-") != std::string::npos) break;
        replies_left_.erase(reply);
        return;
    }
    fail(expected, actual);
}

// The flow that this packet belongs to, in either direction; an ICMP error to the one it quotes.
void Player::check_flow(const std::string& wanted, Bytes frame) {
    Packet packet;
    const uint32_t size = static_cast<uint32_t>(frame.size());
    const ParseOutcome parsed = parse_frame(packet, frame.data(), size, size, {});
    std::string actual = "none";
    if (parsed.kind == FrameKind::Ip) {
        const Tuple tuple = packet.is_icmp_error ? embedded_tuple_of(packet) : tuple_of(packet);
        for (const FlowView& flow : pipeline_.flows()) {
            if (flow.original != tuple && flow.original != invert(tuple)) continue;
            actual = flow.text.substr(tuple_text(flow.original).size() + 1);
        }
    }
    if (actual != wanted) fail("flow " + wanted, "flow " + actual);
}

void Player::run(const FlowsStep& step) {
    std::vector<std::string> actual;
    for (const FlowView& flow : pipeline_.flows())
        actual.push_back(flow.text);
    std::vector<std::string> wanted = step.flows;
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
