// What the fuzz targets of the helpers share: an input becomes a conversation, and whatever was
// said, only pinholes that may be open are.
//
// The input: a byte of choices, then chunks of a byte for the direction (bit 7) and whether it is a
// retransmission (bit 6), a byte for the length, and the bytes. Each segment stands in a buffer of
// exactly its size (HelperBed), so that the address sanitizer sees every byte read too much.
#pragma once

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "support/helper_bed.h"

namespace rampart::test {

inline void check(bool condition) {
    if (!condition) std::abort();
}

inline void check_expectations(const HelperBed& bed, const Helper& helper) {
    size_t allowed = 0;
    for (const ExpectClass& one : helper.classes)
        allowed += one.limit;
    const auto all = bed.expectations();
    check(all.size() <= allowed);
    for (const Expectation& one : all) {
        // To one of the two, as the other side sees it.
        check(one.tuple.dst == bed.reply.dst || one.tuple.dst == bed.original.dst);
        check(one.tuple.family == bed.original.family);
        check(one.helper == helper.number && one.flow_class < helper.classes.size());
        check(one.has(expectation_flag::kTranslated) == bed.is_translated);
        if (one.tuple.protocol != ip_protocol::kGre) check(one.tuple.dst_port.host() >= 1024);
        check(one.has(expectation_flag::kAnySource) == (helper.number == helper_number::kIrc));
    }
}

inline void run_conversation(HelperBed& bed, uint8_t helper, const uint8_t* data, size_t size) {
    constexpr uint8_t kFromServer = 0x80, kAgain = 0x40;
    while (size >= 2) {
        const uint8_t how = data[0];
        const size_t length = std::min<size_t>(data[1] * (how & 1 ? 8u : 1u), size - 2);
        const std::string_view text(reinterpret_cast<const char*>(data + 2), length);
        const auto direction = how & kFromServer ? Direction::Reply : Direction::Original;
        const Sent sent = bed.send(direction, text);
        check(sent.payload.size() <= text.size() + PayloadEdits::kTextBytes);
        check(bed.is_translated || sent.payload == text);
        if (how & kAgain) bed.send_at(direction, sent.sequence, text);
        check_expectations(bed, *helper_of(helper));
        data += 2 + length;
        size -= 2 + length;
    }
}

}  // namespace rampart::test
