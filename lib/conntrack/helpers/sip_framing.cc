#include "conntrack/helpers/sip_framing.h"

#include <algorithm>

#include "conntrack/helpers/ascii.h"
#include "conntrack/helpers/sip_message.h"

namespace rampart {
namespace {

enum class SipPhase : uint8_t { Between, StartLine, Headers, Body };

SipPhase phase_of(const SipFraming& framing) noexcept {
    return static_cast<SipPhase>(framing.phase);
}
void set_phase(SipFraming& framing, SipPhase phase) noexcept {
    framing.phase = static_cast<uint8_t>(phase);
}

std::string_view line_of(const SipFraming& framing) noexcept {
    return {framing.line, framing.line_length};
}

constexpr uint16_t kNoLength = UINT16_MAX;

// False: a Content-Length that cannot be.
bool take_header(SipFraming& framing) noexcept {
    std::string_view line = line_of(framing);
    const size_t colon = line.find(':');
    if (colon == line.npos) return true;
    std::string_view name = line.substr(0, colon);
    while (!name.empty() && (name.back() == ' ' || name.back() == '\t'))
        name.remove_suffix(1);
    if (!equals_no_case(name, "Content-Length") && !equals_no_case(name, "l")) return true;
    line.remove_prefix(colon + 1);
    while (!line.empty() && (line[0] == ' ' || line[0] == '\t'))
        line.remove_prefix(1);
    const auto length = take_number(line, kNoLength - 1);
    while (!line.empty() && (line[0] == ' ' || line[0] == '\t' || line[0] == '\r'))
        line.remove_prefix(1);
    const bool is_cut = framing.line_length == sizeof(framing.line);
    if (!length || is_cut || !line.empty() || framing.content_length != kNoLength) return false;
    framing.content_length = static_cast<uint16_t>(*length);
    return true;
}

bool end_line(SipFraming& framing) noexcept {
    const std::string_view line = line_of(framing);
    const bool is_empty = line.empty() || line == "\r";
    bool is_sane = true;
    if (phase_of(framing) == SipPhase::StartLine) {
        is_sane = line.size() >= kSipBegin && begins_as_sip(line);
        set_phase(framing, SipPhase::Headers);
        framing.content_length = kNoLength;
    } else if (is_empty) {
        is_sane = framing.content_length != kNoLength;
        framing.body_left = framing.content_length;
        set_phase(framing, framing.body_left == 0 ? SipPhase::Between : SipPhase::Body);
    } else {
        is_sane = take_header(framing);
    }
    framing.line_length = 0;
    return is_sane;
}

// False: the stream cannot be followed.
bool follow_bytes(SipFraming& framing, std::string_view bytes) noexcept {
    while (!bytes.empty()) {
        if (phase_of(framing) == SipPhase::Body) {
            const size_t taken = std::min<size_t>(framing.body_left, bytes.size());
            framing.body_left = static_cast<uint16_t>(framing.body_left - taken);
            bytes.remove_prefix(taken);
            if (framing.body_left == 0) set_phase(framing, SipPhase::Between);
            continue;
        }
        const char c = bytes[0];
        bytes.remove_prefix(1);
        if (phase_of(framing) == SipPhase::Between) {
            if (c == '\r' || c == '\n') continue;  // keeps the connection alive (RFC 5626, 3.5.1)
            set_phase(framing, SipPhase::StartLine);
            framing.line_length = 0;
        }
        if (c == '\n') {
            if (!end_line(framing)) return false;
            continue;
        }
        if (framing.line_length < sizeof(framing.line)) framing.line[framing.line_length++] = c;
        if (phase_of(framing) == SipPhase::StartLine && framing.line_length == kSipBegin &&
            !begins_as_sip(line_of(framing)))
            return false;
    }
    return true;
}

bool is_known_start(const SipFraming& framing, uint32_t sequence) noexcept {
    for (uint32_t i = 0; i < framing.start_count; ++i)
        if (framing.starts[i] == sequence) return true;
    return false;
}

void note_start(SipFraming& framing, uint32_t sequence) noexcept {
    framing.starts[1] = framing.starts[0];
    framing.starts[0] = sequence;
    if (framing.start_count < 2) ++framing.start_count;
}

}  // namespace

SipSegment follow(SipFraming& framing, uint32_t sequence, std::string_view payload) noexcept {
    if (!framing.has_begun) {
        framing.has_begun = 1;
        framing.next_sequence = sequence;
    }
    const auto seen = static_cast<int32_t>(framing.next_sequence - sequence);
    if (seen < 0) return SipSegment::OutOfOrder;
    const bool is_message =
        seen == 0 ? phase_of(framing) == SipPhase::Between : is_known_start(framing, sequence);
    if (static_cast<size_t>(seen) < payload.size()) {
        const bool is_new = seen == 0 && is_message;
        if (!follow_bytes(framing, payload.substr(static_cast<size_t>(seen))))
            return SipSegment::Foreign;
        framing.next_sequence = sequence + static_cast<uint32_t>(payload.size());
        if (is_new) note_start(framing, sequence);
    }
    return is_message ? SipSegment::Message : SipSegment::Inside;
}

}  // namespace rampart
