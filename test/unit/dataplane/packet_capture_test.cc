// What a capture copies: frames as they came and as they left, ends of ways by reason and by rule,
// all bytes of them however they lie in memory, and a full ring loses whole frames and counts them.
#include "dataplane/packet_capture.h"

#include <algorithm>
#include <cstring>

#include <catch2/catch.hpp>

#include "support/load.h"
#include "support/packet_line.h"
#include "support/pipeline.h"

namespace rampart::test {
namespace {

constexpr const char* kWeb = "udp 10.0.0.2:4000 > 192.0.2.1:80 len 200";
constexpr const char* kOther = "udp 10.0.0.2:4000 > 192.0.2.1:53 len 9";

struct Captured {
    CaptureHead head;
    Bytes bytes;
};

struct CaptureBed {
    explicit CaptureBed(
        const std::string& rules = "{ id: web, proto: udp, dport: 80, action: accept }")
        : pipeline(load(config_with("{ policy: drop, rules: [" + rules + "] }"))),
          capture(
              std::move(*PacketCapture::create(DpdkSession::get().unique_name("capture"), -1))) {
        pipeline.capture_with(capture.get());
    }
    ~CaptureBed() { pipeline.capture_with(nullptr); }

    void want(unsigned place, CaptureFilter filter) {
        filters[place] = filter;
        capture->set_filter(place, &filters[place]);
    }
    // By the numbers of the running configuration.
    CaptureFilter by_rule(const std::string& id) {
        CaptureFilter filter{.by_rule = true};
        CaptureFilter::Rules& rules = filter.rules[0];
        rules.snapshot = pipeline.snapshot();
        for (const Chain& chain : rules.snapshot->ruleset.chains)
            for (const Rule& rule : chain.rules)
                if (rule.id == id) rules.rule[rules.count++] = rule.rule_index;
        return filter;
    }
    Outcome send(const std::string& line) { return pipeline.send({0, frame_of(line)}); }

    std::vector<Captured> take() {
        std::vector<Captured> all;
        CaptureCell cell;
        while (capture->read(&cell, 1) == 1) {
            Captured one;
            std::memcpy(&one.head, cell.bytes.data(), sizeof(one.head));
            size_t used = sizeof(one.head);
            while (one.bytes.size() < one.head.captured) {
                if (used == CaptureCell::kBytes) {
                    REQUIRE(capture->read(&cell, 1) == 1);
                    used = 0;
                }
                const size_t count =
                    std::min(one.head.captured - one.bytes.size(), CaptureCell::kBytes - used);
                const auto* from = reinterpret_cast<const uint8_t*>(cell.bytes.data()) + used;
                one.bytes.insert(one.bytes.end(), from, from + count);
                used += count;
            }
            all.push_back(std::move(one));
        }
        return all;
    }

    Pipeline pipeline;
    std::unique_ptr<PacketCapture> capture;
    std::array<CaptureFilter, kMaxCaptures> filters;
};

}  // namespace

TEST_CASE("a packet is captured as it came and as it left, a dropped one as it came") {
    CaptureBed bed;
    CHECK_FALSE(bed.capture->is_wanted());
    bed.want(0, {});
    CHECK(bed.capture->is_wanted());
    const Bytes frame = frame_of(kWeb);
    bed.send(kWeb);
    bed.send(kOther);
    const auto seen = bed.take();
    REQUIRE(seen.size() == 3);
    CHECK(seen[0].head.point == CapturePoint::Received);
    CHECK(seen[0].head.interface == 0);
    CHECK(seen[0].head.length == frame.size());
    CHECK(seen[0].bytes == frame);
    CHECK(seen[1].head.point == CapturePoint::Sent);
    CHECK(seen[1].head.interface == 1);
    CHECK(seen[1].bytes == frame);
    const Ruleset& ruleset = bed.pipeline.snapshot()->ruleset;
    REQUIRE(ruleset.rules[seen[1].head.rule] != nullptr);
    CHECK(ruleset.rules[seen[1].head.rule]->id == "web");
    CHECK(seen[2].head.point == CapturePoint::Received);
    CHECK(seen[2].bytes == frame_of(kOther));

    bed.capture->set_filter(0, nullptr);
    CHECK_FALSE(bed.capture->is_wanted());
    bed.send(kWeb);
    CHECK(bed.take().empty());
}

TEST_CASE("drops are captured with their reason, all or those of one reason") {
    CaptureBed bed("{ id: no, proto: udp, dport: 80, action: drop }");
    bed.want(0, {.drops_only = true});
    bed.want(1, {.drops_only = true, .has_reason = true, .reason = DropReason::Policy});
    bed.send(kWeb);
    bed.send(kOther);
    const auto seen = bed.take();
    REQUIRE(seen.size() == 2);
    CHECK(seen[0].head.reason == DropReason::Rule);
    CHECK(seen[0].head.filters == 1);
    CHECK(seen[0].bytes == frame_of(kWeb));
    CHECK(seen[1].head.reason == DropReason::Policy);
    CHECK(seen[1].head.filters == 3);
    CHECK(seen[1].head.interface == 0);
}

TEST_CASE("a rule is met on the walked way and on the remembered one, by number and by snapshot") {
    CaptureBed bed("{ id: count, proto: udp }, { id: web, proto: udp, dport: 80, action: accept }");
    bed.want(0, bed.by_rule("count"));
    bed.want(1, bed.by_rule("web"));
    CaptureFilter of_other = bed.by_rule("web");
    of_other.rules[0].snapshot = nullptr;
    bed.want(2, of_other);
    for (int i = 0; i < 3; ++i)
        bed.send(kWeb);
    bed.send(kOther);
    const auto seen = bed.take();
    REQUIRE(seen.size() == 4);
    for (int i = 0; i < 3; ++i) {
        CHECK(seen[i].head.filters == 3);
        CHECK(seen[i].head.point == CapturePoint::Sent);
    }
    CHECK(seen[3].head.filters == 1);
    CHECK(seen[3].head.point == CapturePoint::Dropped);
}

TEST_CASE("only chosen interfaces, and only so many bytes as the longest wish") {
    CaptureBed bed;
    bed.want(0, {.interfaces = 1 << 1, .snap_length = 60});
    bed.want(3, {.interfaces = 1 << 1, .snap_length = 100});
    bed.send(kWeb);
    const auto seen = bed.take();
    REQUIRE(seen.size() == 1);
    CHECK(seen[0].head.filters == (1 | 1 << 3));
    CHECK(seen[0].head.captured == 100);
    CHECK(seen[0].head.length == frame_of(kWeb).size());
    const Bytes frame = frame_of(kWeb);
    CHECK(std::equal(seen[0].bytes.begin(), seen[0].bytes.end(), frame.begin()));
}

TEST_CASE("bytes are whole whatever the length and the segments") {
    CaptureBed bed;
    bed.want(0, {.interfaces = 1 << 0});
    // Around the sizes of cells: 224 bytes in the first one, 256 in the others.
    for (const unsigned length : {181u, 182u, 183u, 437u, 438u, 439u, 1400u}) {
        const Bytes frame =
            frame_of("udp 10.0.0.2:4000 > 192.0.2.1:80 len " + std::to_string(length));
        bed.pipeline.send({0, frame});
        bed.pipeline.send({0, frame, {50, 130, 200}});
        const auto seen = bed.take();
        REQUIRE(seen.size() == 2);
        CHECK(seen[0].bytes == frame);
        CHECK(seen[1].bytes == frame);
    }
}

TEST_CASE("a full ring loses whole frames, counts them, and goes on when there is room") {
    CaptureBed bed;
    bed.want(0, {.interfaces = 1 << 0});
    const Bytes frame = frame_of("udp 10.0.0.2:4000 > 192.0.2.1:80 len 1400");
    const unsigned fit =
        (PacketCapture::kCells - 1) / cells_of(static_cast<uint32_t>(frame.size()));
    for (unsigned i = 0; i < fit + 10; ++i)
        bed.pipeline.send({0, frame});
    CHECK(bed.capture->lost(0) == 10);
    const auto seen = bed.take();
    CHECK(seen.size() == fit);
    CHECK(std::all_of(seen.begin(), seen.end(),
                      [&](const Captured& one) { return one.bytes == frame; }));
    bed.pipeline.send({0, frame});
    CHECK(bed.take().size() == 1);
    CHECK(bed.capture->lost(0) == 10);
}

TEST_CASE("replies that a reject sends are captured as they leave") {
    CaptureBed bed("{ id: no, proto: udp, action: reject }");
    bed.want(0, {.interfaces = 1 << 0});
    bed.send(kWeb);
    const auto seen = bed.take();
    REQUIRE(seen.size() == 2);
    CHECK(seen[1].head.point == CapturePoint::Sent);
    REQUIRE(bed.pipeline.replies().size() == 1);
    CHECK(seen[1].bytes == bed.pipeline.replies()[0].frame);
}

}  // namespace rampart::test
