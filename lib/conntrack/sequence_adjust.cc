#include "conntrack/sequence_adjust.h"

#include "base/endian.h"
#include "packet/checksum.h"
#include "packet/packet.h"

namespace rampart {
namespace {

constexpr uint32_t kSequence = 4, kAcknowledgement = 8, kFlags = 13, kChecksum = 16, kOptions = 20;
constexpr uint8_t kEndOfOptions = 0, kNoOperation = 1, kSack = 5;
// A change so far back that nothing from before it can still come; numbers compare as older and
// newer only within half of their range.
constexpr uint32_t kForgotten = 1u << 30;

bool is_after(uint32_t a, uint32_t b) noexcept {
    return static_cast<int32_t>(a - b) > 0;
}

const SequenceShift& shift_of(const SequenceAdjust& state, Direction direction) noexcept {
    return state.shift[static_cast<unsigned>(direction)];
}

int32_t offset_before(const SequenceShift& shift, uint32_t index) noexcept {
    return index == 0 ? shift.base : shift.change[index - 1].offset;
}

void forget_oldest(SequenceShift& shift) noexcept {
    shift.base = shift.change[0].offset;
    --shift.count;
    for (uint32_t i = 0; i < shift.count; ++i)
        shift.change[i] = shift.change[i + 1];
}

void forget_old(SequenceShift& shift, uint32_t sequence) noexcept {
    while (shift.count != 0 && is_after(sequence, shift.change[0].position + kForgotten))
        forget_oldest(shift);
}

// Stores `now` at an offset of the TCP header and corrects the checksum. Options may stand at odd
// offsets, where the bytes of each word change places in the sum (RFC 1071, section 2 (B)).
void replace32(uint8_t* tcp_header, uint32_t offset, uint32_t now) noexcept {
    auto checksum = load<uint16_t>(tcp_header + kChecksum);
    uint8_t bytes[4];
    store_host32(bytes, now);
    for (uint32_t half = 0; half < 4; half += 2) {
        auto old_word = load<uint16_t>(tcp_header + offset + half);
        auto new_word = load<uint16_t>(bytes + half);
        if (offset & 1) {
            old_word = __builtin_bswap16(old_word);
            new_word = __builtin_bswap16(new_word);
        }
        checksum = checksum_replace(checksum, old_word, new_word);
    }
    store(tcp_header + offset, load<uint32_t>(bytes));
    store(tcp_header + kChecksum, checksum);
}

void adjust_sack(const SequenceAdjust& state, Direction acknowledged, uint8_t* tcp_header,
                 uint32_t begin, uint32_t end) noexcept {
    for (uint32_t at = begin; at < end; at += 4) {
        const uint32_t edge = load_host32(tcp_header + at);
        replace32(tcp_header, at, original_acknowledgement(state, acknowledged, edge));
    }
}

bool adjust_options(const SequenceAdjust& state, Direction acknowledged, uint8_t* tcp_header,
                    uint32_t header_length) noexcept {
    uint32_t at = kOptions;
    while (at < header_length) {
        const uint8_t kind = tcp_header[at];
        if (kind == kEndOfOptions) return true;
        if (kind == kNoOperation) {
            ++at;
            continue;
        }
        if (at + 1 == header_length) return false;
        const uint32_t length = tcp_header[at + 1];
        if (length < 2 || length > header_length - at) return false;
        if (kind == kSack && (length - 2) % 8 == 0)
            adjust_sack(state, acknowledged, tcp_header, at + 2, at + length);
        at += length;
    }
    return true;
}

}  // namespace

void record_change(SequenceAdjust& state, Direction direction, uint32_t sequence,
                   int32_t delta) noexcept {
    if (delta == 0) return;
    SequenceShift& shift = state.shift[static_cast<unsigned>(direction)];
    forget_old(shift, sequence);
    if (shift.count != 0 && !is_after(sequence, shift.change[shift.count - 1].position)) return;
    if (shift.count == SequenceShift::kChanges) forget_oldest(shift);
    const int32_t offset = offset_before(shift, shift.count) + delta;
    shift.change[shift.count++] = {sequence, offset};
}

int32_t offset_at(const SequenceAdjust& state, Direction direction, uint32_t sequence) noexcept {
    const SequenceShift& shift = shift_of(state, direction);
    for (uint32_t i = shift.count; i > 0; --i)
        if (is_after(sequence, shift.change[i - 1].position)) return shift.change[i - 1].offset;
    return shift.base;
}

uint32_t original_acknowledgement(const SequenceAdjust& state, Direction direction,
                                  uint32_t acknowledgement) noexcept {
    const SequenceShift& shift = shift_of(state, direction);
    for (uint32_t i = shift.count; i > 0; --i) {
        const SequenceChange& change = shift.change[i - 1];
        // The receiver knows the place of the change by what the stream was shifted before it.
        if (is_after(acknowledgement - offset_before(shift, i - 1), change.position))
            return acknowledgement - change.offset;
    }
    return acknowledgement - shift.base;
}

bool adjust(SequenceAdjust& state, Direction direction, uint8_t* tcp_header,
            uint32_t header_length) noexcept {
    const uint32_t sequence = load_host32(tcp_header + kSequence);
    forget_old(state.shift[static_cast<unsigned>(direction)], sequence);
    const int32_t offset = offset_at(state, direction, sequence);
    if (offset != 0) replace32(tcp_header, kSequence, sequence + offset);
    if ((tcp_header[kFlags] & tcp_flag::kAck) == 0) return true;

    const uint32_t acknowledgement = load_host32(tcp_header + kAcknowledgement);
    const Direction acknowledged = opposite(direction);
    const uint32_t original = original_acknowledgement(state, acknowledged, acknowledgement);
    if (original != acknowledgement) replace32(tcp_header, kAcknowledgement, original);
    return adjust_options(state, acknowledged, tcp_header, header_length);
}

}  // namespace rampart
