// The subject of the differential test: the packet path as a program that answers line by line.
//
//   build PACKET            "frame HEX", in the words of test/scenario/README.md; or "error TEXT"
//   network                 what routed ports need follows, up to a line ".", before the first
//                           configuration: "address PORT PREFIX", "route WORDS", "neighbour WORDS",
//                           "mtu PORT BYTES", as in test/support/network.h
//   config                  a configuration follows, up to a line "."; answers "ok" or "error TEXT"
//   reset                   forgets all flows and begins time anew; answers nothing
//   send US PORT HEX...     frames that arrive together at this time on a port; see below
//   kernel US PORT HEX...   frames of the box itself, which leave by a port
//   table US                the table at that time
//   end                     answers "."
//
// `send` answers per frame "packet VERDICT REASON CLASS DIRECTION", for each frame that left "out
// PORT HEX", for one that was delivered to the box "in PORT HEX", for each answer of the firewall
// "reply PORT HEX", or "reply kernel HEX" to the box itself, and for each packet that a rule logged
// "log TEXT". REASON is why it is INVALID, or why it was dropped. `table` answers "flow LINE" for
// each flow, as `conntrack -L -o extended` prints it. Times are microseconds since the reset and
// never go back. Words that do not apply are
// "-". Reads standard input to its end; single thread.
#include <cstdio>
#include <iostream>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "control/conntrack_format.h"
#include "control/expectation_format.h"
#include "control/flow_list.h"
#include "control/packet_log_format.h"
#include "rules/log_statement.h"
#include "support/load.h"
#include "support/packet_line.h"
#include "support/pipeline.h"

namespace rampart::test {
namespace {

constexpr uint32_t kCapacity = 1024;  // flows; a sequence makes a few
constexpr uint64_t kForgetFragments_ns = 120'000'000'000;

std::string hex_of(const Bytes& bytes) {
    static constexpr char kDigits[] = "0123456789abcdef";
    std::string text;
    text.reserve(bytes.size() * 2);
    for (const uint8_t byte : bytes) {
        text += kDigits[byte >> 4];
        text += kDigits[byte & 15];
    }
    return text;
}

unsigned digit_of(char c) {
    if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
    if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a' + 10);
    throw std::runtime_error("not hexadecimal");
}

Bytes bytes_of_hex(const std::string& text) {
    Bytes bytes(text.size() / 2);
    for (size_t i = 0; i < bytes.size(); ++i)
        bytes[i] = static_cast<uint8_t>(digit_of(text[2 * i]) << 4u | digit_of(text[2 * i + 1]));
    return bytes;
}

std::string_view direction_name(std::optional<Direction> direction) {
    if (!direction) return "-";
    return *direction == Direction::Original ? "original" : "reply";
}

std::string_view verdict_name(Verdict verdict) {
    switch (verdict) {
        case Verdict::Forward:
            return "forward";
        case Verdict::Drop:
            return "drop";
        case Verdict::Deliver:
            return "local";
        case Verdict::Held:
            return "held";
        case Verdict::Pending:
        case Verdict::Consumed:
            break;
    }
    return "other";
}

std::string_view reason_of(const Outcome& outcome) {
    if (outcome.ct_class == CtClass::Invalid) return to_string(outcome.invalid);
    if (outcome.verdict == Verdict::Drop) return to_string(outcome.reason);
    return "-";
}

std::string one_line(std::string text) {
    for (char& c : text)
        if (c == '\n') c = ' ';
    return text;
}

class Records final : public PacketLog {
  public:
    bool write(const PacketLogRecord& record) noexcept override {
        records_.push_back(record);
        return true;
    }
    std::vector<PacketLogRecord> take() { return std::exchange(records_, {}); }

  private:
    std::vector<PacketLogRecord> records_;
};

class Subject {
  public:
    void answer(const std::string& line);

  private:
    void build(const std::string& line);
    void configure();
    void reset();
    void read_network();
    void send(std::istream& words, bool is_from_kernel);
    static void print_frames(const std::string& in, const std::string& out, const Outcome& outcome);
    void print_log();
    void table(std::istream& words);
    void move_to(std::istream& words);

    Records log_;
    std::optional<NetworkSpec> network_;
    std::unique_ptr<Pipeline> pipeline_;
    ConntrackFormat format_{.extended = true};
    uint64_t elapsed_us_ = 0;
};

void Subject::answer(const std::string& line) {
    std::istringstream words(line);
    std::string command;
    words >> command;
    if (command == "build") return build(line.substr(6));
    if (command == "config") return configure();
    if (command == "network") return read_network();
    if (command == "end") {
        std::cout << ".\n" << std::flush;
        return;
    }
    if (pipeline_ == nullptr) throw std::runtime_error("no configuration yet");
    if (command == "reset") return reset();
    if (command == "send" || command == "kernel") return send(words, command == "kernel");
    if (command == "table") return table(words);
    throw std::runtime_error("unknown command: " + command);
}

void Subject::build(const std::string& line) {
    try {
        const std::string frame = hex_of(frame_of(line));
        std::cout << "frame " << frame << '\n';
    } catch (const std::exception& error) {
        std::cout << "error " << one_line(error.what()) << '\n';
    }
}

void Subject::configure() {
    std::string text;
    for (std::string line; std::getline(std::cin, line) && line != ".";)
        text += line + "\n";
    try {
        std::unique_ptr<Snapshot> snapshot = load(text, "profile.yaml");
        format_.accounting = snapshot->conntrack.accounting;
        if (pipeline_ == nullptr)
            pipeline_ = std::make_unique<Pipeline>(
                std::move(snapshot),
                Pipeline::Options{.capacity = kCapacity, .network = network_, .has_helpers = true});
        else
            pipeline_->reload(std::move(snapshot));
        pipeline_->log_to(&log_);
        std::cout << "ok\n";
    } catch (const std::exception& error) {
        std::cout << "error " << one_line(error.what()) << '\n';
    }
}

void Subject::reset() {
    FlowTable& flows = pipeline_->table();
    flows.erase_range(0, flows.capacity());
    pipeline_->advance(kForgetFragments_ns);
    elapsed_us_ = 0;
}

void Subject::read_network() {
    network_.emplace().neighbours.emplace();
    for (std::string line; std::getline(std::cin, line) && line != ".";) {
        std::istringstream words(line);
        std::string kind, port, rest;
        words >> kind;
        if (kind == "route" || kind == "neighbour") {
            std::getline(words >> std::ws, rest);
            (kind == "route" ? network_->routes : *network_->neighbours).push_back(rest);
            continue;
        }
        words >> port >> rest;
        if (kind == "address")
            network_->addresses[port].push_back(rest);
        else if (kind == "mtu")
            network_->mtus[port] = static_cast<uint16_t>(std::stoul(rest));
        else
            throw std::runtime_error("not of a network: " + line);
    }
}

void Subject::move_to(std::istream& words) {
    uint64_t time_us = 0;
    words >> time_us;
    if (!words || time_us < elapsed_us_) throw std::runtime_error("time goes back");
    pipeline_->advance((time_us - elapsed_us_) * 1000);
    elapsed_us_ = time_us;
}

void Subject::send(std::istream& words, bool is_from_kernel) {
    move_to(words);
    std::string port;
    words >> port;
    std::vector<Arrival> arrivals;
    for (std::string frame; words >> frame;)
        arrivals.push_back({.port = static_cast<InterfaceIndex>(pipeline_->port_of(port)),
                            .frame = bytes_of_hex(frame),
                            .is_from_kernel = is_from_kernel});
    const auto& interfaces = pipeline_->snapshot()->ruleset.names.interfaces;
    for (const Outcome& outcome : pipeline_->send(arrivals)) {
        std::cout << "packet " << verdict_name(outcome.verdict) << ' ' << reason_of(outcome) << ' '
                  << (outcome.ct_class ? to_string(*outcome.ct_class) : "-") << ' '
                  << direction_name(outcome.direction) << '\n';
        const bool is_sent = outcome.verdict == Verdict::Forward;
        print_frames(port, is_sent ? interfaces[outcome.out_port].name : "", outcome);
    }
    for (const SentReply& reply : pipeline_->replies())
        std::cout << "reply " << (reply.is_for_kernel ? "kernel" : interfaces[reply.port].name)
                  << ' ' << hex_of(reply.frame) << '\n';
    print_log();
}

void Subject::print_frames(const std::string& in, const std::string& out, const Outcome& outcome) {
    if (outcome.verdict == Verdict::Deliver)
        std::cout << "in " << in << ' ' << hex_of(outcome.frame) << '\n';
    if (outcome.verdict != Verdict::Forward) return;
    if (outcome.fragments.empty())
        std::cout << "out " << out << ' ' << hex_of(outcome.frame) << '\n';
    for (const Bytes& fragment : outcome.fragments)
        std::cout << "out " << out << ' ' << hex_of(fragment) << '\n';
}

void Subject::print_log() {
    const Ruleset& ruleset = pipeline_->snapshot()->ruleset;
    const auto name_of = [&](InterfaceIndex index) {
        return index == kNoInterface ? "" : ruleset.names.interfaces[index].name;
    };
    for (const PacketLogRecord& record : log_.take()) {
        const Rule& rule = *ruleset.rules[record.rule];
        const PacketLogNames names{.prefix = log_statement_of(rule)->prefix,
                                   .in = name_of(record.in),
                                   .out = name_of(record.out),
                                   .rule = rule.id,
                                   .action = "-"};
        std::cout << "log " << packet_log_text(record, names) << '\n';
    }
}

void Subject::table(std::istream& words) {
    move_to(words);
    const FlowTable& flows = pipeline_->table();
    FlowEntry entry;
    for (FlowIndex index = 0; index < flows.capacity(); ++index) {
        if (read_flow(flows, 0, index, pipeline_->now().tick, entry))
            std::cout << "flow " << format_flow({.flow = entry}, format_) << '\n';
    }
    const ExpectationTable& expectations = pipeline_->helpers()->expectations();
    const Tick now = pipeline_->now().tick;
    Expectation expectation;
    for (uint32_t slot = 0; slot < expectations.capacity(); ++slot) {
        if (!expectations.read(slot, expectation) || is_past(expectation.deadline, now)) continue;
        const uint32_t left_s = ticks_left(expectation.deadline, now) / kTicksPerSecond;
        std::cout << "expect " << format_expectation(expectation, left_s) << '\n';
    }
}

int run() {
    std::ios::sync_with_stdio(false);
    Subject subject;
    for (std::string line; std::getline(std::cin, line);)
        subject.answer(line);
    return 0;
}

}  // namespace
}  // namespace rampart::test

int main() {
    try {
        return rampart::test::run();
    } catch (const std::exception& error) {
        std::fprintf(stderr, "differential-subject: %s\n", error.what());
        return 1;
    }
}
