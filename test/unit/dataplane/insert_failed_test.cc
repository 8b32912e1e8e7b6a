// The hash may refuse a key although the table has room: the packet is dropped by that name, and
// nothing of its flow is left.
#include <catch2/catch.hpp>

#include "support/load.h"
#include "support/packet_line.h"
#include "support/pipeline.h"

namespace rampart::test {

TEST_CASE("a flow whose buckets are full is refused and leaves no trace") {
    // 40 flows get an rte_hash of 64 slots: 8 buckets of 8. Keys whose hashes agree in the low
    // bits, which choose the first bucket, and in those that choose the second, find room for 16.
    // Our own index has room elsewhere for those that find none in their buckets.
    const bool is_rte_hash = GENERATE(true, false);
    constexpr uint64_t kSeed = 1;
    const uint32_t expected = is_rte_hash ? 16 : 20;
    Pipeline pipeline(load(config_with("{ policy: accept }")),
                      {.capacity = 40,
                       .hash_seed = kSeed,
                       .index = is_rte_hash ? KeyIndexKind::RteHash : KeyIndexKind::Buckets});
    const KeyedHash hash = KeyedHash::from_seed(kSeed);
    uint32_t sent = 0, forwarded = 0;
    for (unsigned port = 0; port < 65536 && sent < 20; ++port) {
        const std::string line = "udp 10.0.0.2:" + std::to_string(port) + " > 192.0.2.1:53";
        Tuple tuple;
        tuple.family = Family::Ipv4;
        tuple.protocol = 17;
        tuple.src = IpAddress::parse("10.0.0.2")->bytes;
        tuple.dst = IpAddress::parse("192.0.2.1")->bytes;
        tuple.src_port = be16::from_host(static_cast<uint16_t>(port));
        tuple.dst_port = be16::from_host(53);
        FlowKey4 key;
        make_key(tuple, key);
        if ((hash.hash(key) & 0x00070007) != 0x00010000) continue;
        ++sent;
        forwarded += pipeline.send({0, frame_of(line)}).verdict == Verdict::Forward;
    }
    REQUIRE(sent == 20);
    CHECK(forwarded == expected);
    CHECK(pipeline.drops(DropReason::InsertFailed) == sent - forwarded);
    CHECK(pipeline.table().count() == forwarded);
    CHECK(pipeline.is_conserved());
    // The slots are free for others.
    CHECK(pipeline.send({0, frame_of("tcp 10.0.0.3:1 > 192.0.2.1:80 S")}).verdict ==
          Verdict::Forward);
}

}  // namespace rampart::test
