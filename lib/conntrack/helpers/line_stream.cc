#include "conntrack/helpers/line_stream.h"

#include <algorithm>
#include <cstring>

namespace rampart {
bool begins_line(const LineStarts& lines, uint32_t sequence) noexcept {
    for (uint32_t i = 0; i < lines.count; ++i)
        if (lines.at[i] == sequence) return true;
    return false;
}

void note_line_start(LineStarts& lines, uint32_t sequence) noexcept {
    if (begins_line(lines, sequence)) return;
    if (lines.count < 2) {
        lines.at[lines.count++] = sequence;
        return;
    }
    const bool first_is_older = static_cast<int32_t>(lines.at[0] - lines.at[1]) < 0;
    lines.at[first_is_older ? 0 : 1] = sequence;
}

StreamKind judge_opening(StreamOpening& opening, uint32_t sequence, std::string_view payload,
                         StreamKind (*judge)(std::string_view begin)) noexcept {
    if (opening.is_settled) return StreamKind::Ours;
    if (opening.count == 0) opening.next_sequence = sequence;
    if (sequence != opening.next_sequence) return StreamKind::Undecided;
    const size_t taken = std::min(payload.size(), sizeof(opening.bytes) - opening.count);
    std::memcpy(opening.bytes + opening.count, payload.data(), taken);
    opening.count = static_cast<uint8_t>(opening.count + taken);
    opening.next_sequence += static_cast<uint32_t>(payload.size());
    const StreamKind kind = judge({opening.bytes, opening.count});
    opening.is_settled = kind == StreamKind::Ours;
    return kind;
}

bool is_announced_again(const Announcement& announced, const HelperInput& input) noexcept {
    return announced.is_set && announced.sequence == input.sequence &&
           announced.direction == static_cast<uint8_t>(input.direction);
}

bool is_consistent(const Announcement& announced, const HelperInput& input, be16 port) noexcept {
    return !is_announced_again(announced, input) || announced.port == port;
}

uint16_t preferred_port(const Announcement& announced, const HelperInput& input,
                        be16 port) noexcept {
    return (is_announced_again(announced, input) ? announced.mapped_port : port).host();
}

Expectation expect_from_peer(const HelperInput& input, uint8_t protocol, be16 port,
                             Tick deadline) noexcept {
    Expectation expectation;
    expectation.tuple.family = input.original.family;
    expectation.tuple.protocol = protocol;
    expectation.tuple.src = input.other().src;
    expectation.tuple.dst = input.other().dst;
    expectation.tuple.dst_port = port;
    expectation.flags = expectation_flag::kAnySourcePort;
    expectation.deadline = deadline;
    expectation.direction = opposite(input.direction);
    if (!input.is_translated) return expectation;
    expectation.flags |= expectation_flag::kTranslated;
    expectation.translation.source = input.own().dst;
    expectation.translation.destination = input.own().src;
    expectation.translation.destination_port = port;
    return expectation;
}

uint16_t expect_on_free_port(Expectation& expectation, uint16_t preferred, bool may_move,
                             HelperHost& host, HelperDrop& drop) noexcept {
    constexpr uint32_t kAttempts = 128;
    const uint32_t above = 65535u - preferred;
    const uint32_t attempts = may_move ? std::min(kAttempts, above) : 0;
    uint32_t port = preferred;
    for (uint32_t attempt = 0;; ++attempt) {
        expectation.tuple.dst_port = be16::from_host(static_cast<uint16_t>(port));
        const ExpectOutcome outcome = host.expect({&expectation, 1});
        if (outcome == ExpectOutcome::Added) return static_cast<uint16_t>(port);
        drop = outcome == ExpectOutcome::Busy ? HelperDrop::NoPort : HelperDrop::NoRoom;
        if (outcome != ExpectOutcome::Busy || attempt == attempts) return 0;
        port = preferred + host.random() % above + 1;
    }
}

}  // namespace rampart
