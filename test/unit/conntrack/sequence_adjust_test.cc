#include "conntrack/sequence_adjust.h"

#include <algorithm>
#include <array>
#include <map>
#include <random>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "base/endian.h"
#include "packet/checksum.h"
#include "packet/packet.h"

namespace rampart::test {
namespace {

// A TCP header whose checksum covers itself alone: sum() tells whether it is still right.
struct Header {
    std::vector<uint8_t> bytes;

    Header(uint32_t sequence, uint32_t acknowledgement, uint8_t flags,
           const std::vector<uint8_t>& options = {})
        : bytes(20) {
        store_host32(bytes.data() + 4, sequence);
        store_host32(bytes.data() + 8, acknowledgement);
        bytes[13] = flags;
        bytes.insert(bytes.end(), options.begin(), options.end());
        bytes[12] = static_cast<uint8_t>(bytes.size() / 4 << 4);
        store(bytes.data() + 16, checksum_of(bytes.data(), bytes.size()));
    }
    bool adjust(SequenceAdjust& state, Direction direction) {
        return rampart::adjust(state, direction, bytes.data(), static_cast<uint32_t>(bytes.size()));
    }
    uint32_t sequence() const { return load_host32(bytes.data() + 4); }
    uint32_t acknowledgement() const { return load_host32(bytes.data() + 8); }
    bool is_right() const {
        return checksum_fold(checksum_add(0, bytes.data(), bytes.size())) == 0xffff;
    }
};

// Twelve bytes: NOPs around or before the block, so that it stands at an odd or an even offset.
std::vector<uint8_t> sack(uint32_t left, uint32_t right, bool is_odd) {
    std::vector<uint8_t> options(12, 1);
    uint8_t* option = options.data() + (is_odd ? 1 : 2);
    option[0] = 5;
    option[1] = 10;
    store_host32(option + 2, left);
    store_host32(option + 6, right);
    return options;
}

constexpr uint8_t kAck = tcp_flag::kAck;

}  // namespace

TEST_CASE("H06: two commands grow by two bytes each") {
    SequenceAdjust state{};
    record_change(state, Direction::Original, 1017, 2);
    Header first(1017, 5012, kAck);
    CHECK(first.adjust(state, Direction::Original));
    CHECK(first.sequence() == 1017);
    Header list(1039, 5012, kAck);
    CHECK(list.adjust(state, Direction::Original));
    CHECK(list.sequence() == 1041);
    record_change(state, Direction::Original, 1045, 2);
    Header noop(1067, 5012, kAck);
    CHECK(noop.adjust(state, Direction::Original));
    CHECK(noop.sequence() == 1071);

    Header early(5012, 1041, kAck);
    CHECK(early.adjust(state, Direction::Reply));
    CHECK(early.acknowledgement() == 1039);
    Header late(5012, 1071, kAck, sack(1071, 1077, false));
    CHECK(late.adjust(state, Direction::Reply));
    CHECK(late.acknowledgement() == 1067);
    CHECK(load_host32(late.bytes.data() + 24) == 1067);
    CHECK(load_host32(late.bytes.data() + 28) == 1073);
    for (const Header* header : {&first, &list, &noop, &early, &late})
        CHECK(header->is_right());
    CHECK(offset_at(state, Direction::Original, 1017) == 0);
    CHECK(offset_at(state, Direction::Original, 1040) == 2);
    CHECK(offset_at(state, Direction::Original, 1070) == 4);
    CHECK(offset_at(state, Direction::Reply, 5012) == 0);
}

TEST_CASE("a retransmission of a rewritten segment is not counted twice") {
    SequenceAdjust state{};
    CHECK_FALSE(state.is_active());
    record_change(state, Direction::Reply, 100, -3);
    record_change(state, Direction::Reply, 100, -3);
    CHECK(state.is_active());
    CHECK(offset_at(state, Direction::Reply, 150) == -3);
    record_change(state, Direction::Reply, 150, 0);
    CHECK(offset_at(state, Direction::Reply, 200) == -3);
}

TEST_CASE("SACK edges at odd offsets keep the checksum right") {
    SequenceAdjust state{};
    record_change(state, Direction::Original, 1000, 7);
    Header header(9000, 1027, kAck, sack(1127, 1207, true));
    REQUIRE(header.is_right());
    CHECK(header.adjust(state, Direction::Reply));
    CHECK(header.is_right());
    CHECK(load_host32(header.bytes.data() + 23) == 1120);
    CHECK(load_host32(header.bytes.data() + 27) == 1200);
}

TEST_CASE("options that cannot be read are refused, and nothing beyond them is") {
    SequenceAdjust state{};
    record_change(state, Direction::Original, 1000, 7);
    for (const auto& options :
         {std::vector<uint8_t>{1, 1, 1, 5}, std::vector<uint8_t>{5, 1, 0, 0},
          std::vector<uint8_t>{5, 10, 0, 0}, std::vector<uint8_t>{8, 0, 1, 1}})
        CHECK_FALSE(Header(9000, 1027, kAck, options).adjust(state, Direction::Reply));
    CHECK(Header(9000, 1027, kAck, {0, 5, 77, 1}).adjust(state, Direction::Reply));
    CHECK(Header(9000, 1027, tcp_flag::kRst, {5, 1, 0, 0}).adjust(state, Direction::Reply));
}

TEST_CASE("a change is still one after two thousand million bytes") {
    SequenceAdjust state{};
    uint32_t sequence = 0xfffff000;
    record_change(state, Direction::Original, sequence, 9);
    for (int i = 0; i < 20; ++i) {
        sequence += 1u << 29;
        Header header(sequence, 0, 0);
        CHECK(header.adjust(state, Direction::Original));
        CHECK(header.sequence() == sequence + 9);
    }
    record_change(state, Direction::Original, sequence, 1);
    CHECK(offset_at(state, Direction::Original, sequence + 1) == 10);
}

namespace {

// A sender, a path that rewrites, loses and repeats, and a receiver that acknowledges and SACKs.
class Transfer {
  public:
    explicit Transfer(uint32_t seed, uint32_t first_sequence)
        : random_(seed), first_(first_sequence), acknowledged_(first_sequence) {
        uint32_t sequence = first_sequence;
        for (int i = 0; i < 1000; ++i) {
            const auto length = static_cast<uint32_t>(10 + random_() % 90);
            // At most three rewritten segments in a window of four, as many as are remembered.
            const int32_t delta = i % 4 == 3 ? 0 : static_cast<int32_t>(random_() % 19) - 9;
            segments_.push_back({sequence, length, delta});
            sequence += length;
        }
        next_expected_ = first_sequence;
    }

    void run() {
        size_t base = 0;
        while (base < segments_.size()) {
            // A window of four in any order, each perhaps lost, perhaps twice. The path sees new
            // segments in order first, as it must to count changes once.
            const size_t end = std::min(base + 4, segments_.size());
            for (size_t i = base; i < end; ++i)
                transmit(i, random_() % 3 == 0);
            for (int again = 0; again < 6; ++again)
                transmit(base + random_() % (end - base), random_() % 3 == 0);
            while (base < end && !is_after(segments_[base].sequence + 1, acknowledged_))
                ++base;
        }
        CHECK(received_.size() == segments_.size());
        CHECK(rebuilt() == sent_text());
    }

  private:
    struct Segment {
        uint32_t sequence, length;
        int32_t delta;
    };
    static bool is_after(uint32_t a, uint32_t b) { return static_cast<int32_t>(a - b) > 0; }
    uint32_t rewritten_length(const Segment& segment) const {
        return segment.length + static_cast<uint32_t>(segment.delta);
    }

    void transmit(size_t index, bool is_lost) {
        const Segment& segment = segments_[index];
        record_change(state_, Direction::Original, segment.sequence, segment.delta);
        Header header(segment.sequence, 1, kAck);
        REQUIRE(header.adjust(state_, Direction::Original));
        REQUIRE(header.is_right());
        if (is_lost) return;
        const auto [place, is_new] = received_.try_emplace(index, header.sequence());
        REQUIRE(place->second == header.sequence());
        answer(index);
    }

    void answer(size_t latest) {
        // Contiguous to the receiver: its own numbers alone.
        while (next_index_ < segments_.size() && received_.count(next_index_) != 0) {
            REQUIRE(received_[next_index_] == next_expected_);
            next_expected_ += rewritten_length(segments_[next_index_++]);
        }
        const uint32_t left = received_[latest];
        const uint32_t right = left + rewritten_length(segments_[latest]);
        Header header(1, next_expected_, kAck, sack(left, right, random_() % 2 == 0));
        const bool is_odd = header.bytes[20] == 1 && header.bytes[21] == 5;
        REQUIRE(header.adjust(state_, Direction::Reply));
        REQUIRE(header.is_right());
        const uint32_t expected = next_index_ < segments_.size()
                                      ? segments_[next_index_].sequence
                                      : segments_.back().sequence + segments_.back().length;
        REQUIRE(header.acknowledgement() == expected);
        const uint8_t* edges = header.bytes.data() + (is_odd ? 23 : 24);
        REQUIRE(load_host32(edges) == segments_[latest].sequence);
        REQUIRE(load_host32(edges + 4) == segments_[latest].sequence + segments_[latest].length);
        acknowledged_ = header.acknowledgement();
    }

    // Each segment is a text of its own letter and of its rewritten length.
    std::string sent_text() const {
        std::string text;
        for (size_t i = 0; i < segments_.size(); ++i)
            text.append(rewritten_length(segments_[i]), static_cast<char>('a' + i % 26));
        return text;
    }
    std::string rebuilt() const {
        std::string text;
        for (const auto& [index, sequence] : received_) {
            const size_t at = sequence - first_;
            const size_t length = rewritten_length(segments_[index]);
            if (text.size() < at + length) text.resize(at + length, '?');
            text.replace(at, length, length, static_cast<char>('a' + index % 26));
        }
        return text;
    }

    std::mt19937 random_;
    uint32_t first_;
    std::vector<Segment> segments_;
    SequenceAdjust state_{};
    std::map<size_t, uint32_t> received_;  // the receiver's number of each segment
    size_t next_index_ = 0;
    uint32_t next_expected_ = 0;
    uint32_t acknowledged_;
};

}  // namespace

TEST_CASE("H17: a thousand rewrites with loss, SACK and wrap deliver the same payload") {
    for (uint32_t seed = 1; seed <= 20; ++seed)
        Transfer(seed, seed % 2 ? 0xffffc000 : seed * 1000003u).run();
}

}  // namespace rampart::test
