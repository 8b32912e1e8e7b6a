// Bindings against a map of who owns which tuple, and the index of sources against a plain list.
#include "nat/binding.h"

#include <map>
#include <random>
#include <tuple>

#include <catch2/catch.hpp>

#include "support/dpdk_session.h"

namespace rampart::test {
namespace {

constexpr uint8_t kTcp = 6, kUdp = 17;

AddressBytes address_of(const char* text) {
    const auto address = IpAddress::parse(text);
    REQUIRE(address);
    return address->bytes;
}

Tuple tuple_of_ends(const char* src, uint16_t src_port, const char* dst, uint16_t dst_port,
                    uint8_t protocol = kUdp) {
    Tuple tuple;
    tuple.family = Family::Ipv4;
    tuple.protocol = protocol;
    tuple.src = address_of(src);
    tuple.dst = address_of(dst);
    tuple.src_port = be16::from_host(src_port);
    tuple.dst_port = be16::from_host(dst_port);
    return tuple;
}

struct TupleLess {
    bool operator()(const Tuple& a, const Tuple& b) const {
        const auto key = [](const Tuple& t) {
            return std::make_tuple(t.src, t.dst, t.src_port.host(), t.dst_port.host(), t.protocol);
        };
        return key(a) < key(b);
    }
};

// A worker's flows as binding sees them.
struct Bed {
    Bed()
        : table(*FlowTable::create({.name = DpdkSession::get().unique_name("nat"),
                                    .capacity = 1024,
                                    .numa_node = -1,
                                    .hash = KeyedHash::from_seed(7)})),
          sources(*table, KeyedHash::from_seed(7)),
          random(KeyedHash::from_seed(7)) {}

    Tuple translated(const Tuple& original, const NatRange& range) {
        const Flow starting{};
        TupleSpace space{.flows = *table,
                         .sources = sources,
                         .random = random,
                         .now = 1,
                         .starting = starting,
                         .reserved = &reserved};
        Binding binding(original);
        bind(space, binding, Manip::Source, range);
        return binding.translated;
    }
    // kNoFlow: it could not be confirmed.
    FlowIndex start(const Tuple& original, const NatRange& range) {
        const Tuple to = translated(original, range);
        const FlowIndex index = table->allocate();
        REQUIRE(index != kNoFlow);
        FlowInfo info;
        info.original = original;
        bool is_in = false;
        if (to == original) {
            Packet packet;
            packet.family = original.family;
            packet.swapped = make_key(original, packet.key4).swapped;
            packet.self_inverse = false;
            packet.is_icmp_error = false;
            is_in = table->confirm(index, packet, table->keys().hash_of(original), info, 1000);
        } else {
            table->flow(index).set_status(flow_status::kSrcNat);
            is_in = table->confirm_translated(
                index, info, {.reply = invert(to), .pool = 0, .masquerade = 0}, 1000);
        }
        if (!is_in) return kNoFlow;
        sources.add(index, original);
        return index;
    }
    void end(FlowIndex index) {
        table->erase(index);
        sources.remove(index);
        table->end_burst();
    }

    std::unique_ptr<FlowTable> table;
    SourceIndex sources;
    KeyedRandom random;
    ReservedPorts reserved;
};

NatRange range_to(const char* address, uint16_t first = 0, uint16_t last = 0) {
    NatRange range{.has_addresses = true,
                   .has_ports = first != 0,
                   .first = address_of(address),
                   .last = address_of(address)};
    range.first_port = first;
    range.last_port = last;
    return range;
}

bool is_at(FlowRef ref, FlowIndex index, Direction direction) {
    return ref.index() == index && ref.direction() == direction;
}

FlowRef found(const FlowTable& table, const Tuple& tuple) {
    const TableEntry entry = table.keys().find(tuple);
    FlowKey4 key;
    return entry.is_none() ? FlowRef{} : entry.toward(make_key(tuple, key).swapped);
}

}  // namespace

TEST_CASE("no two flows ever have one tuple, however few ports there are") {
    Bed bed;
    std::mt19937 random(23);
    std::map<Tuple, FlowIndex, TupleLess> owners;  // of originals and replies
    std::vector<FlowIndex> live;
    size_t refused = 0;
    const auto forget = [&](FlowIndex index) {
        for (const Direction direction : {Direction::Original, Direction::Reply})
            owners.erase(bed.table->tuple_of(index, direction));
        bed.end(index);
    };
    for (int step = 0; step < 100'000; ++step) {
        if (live.size() > 300 || (!live.empty() && random() % 3 == 0)) {
            const size_t at = random() % live.size();
            forget(live[at]);
            live[at] = live.back();
            live.pop_back();
            continue;
        }
        // Insiders and outsiders, who talk to each other and to the address of the translation.
        static const char* const kEnds[] = {"10.0.0.1", "10.0.0.2", "192.0.2.1", "203.0.113.1"};
        const Tuple original = tuple_of_ends(
            kEnds[random() % 4], static_cast<uint16_t>(6000 + random() % 8), kEnds[random() % 4],
            static_cast<uint16_t>(6000 + random() % 8), random() % 2 == 0 ? kTcp : kUdp);
        if (original.src == original.dst || owners.contains(original)) continue;
        const NatRange range =
            random() % 3 == 0
                ? NatRange{.has_addresses = true, .first = original.src, .last = original.src}
                : range_to("192.0.2.1", 6000, 6007);
        const FlowIndex index = bed.start(original, range);
        if (index == kNoFlow) {
            ++refused;
            continue;
        }
        const Tuple reply = bed.table->tuple_of(index, Direction::Reply);
        REQUIRE_FALSE(owners.contains(reply));
        owners[original] = owners[reply] = index;
        live.push_back(index);
        REQUIRE(is_at(found(*bed.table, original), index, Direction::Original));
        REQUIRE(is_at(found(*bed.table, reply), index, Direction::Reply));
    }
    CHECK(refused > 0);
    for (const auto& [tuple, index] : owners)
        REQUIRE(found(*bed.table, tuple).index() == index);
    for (const FlowIndex index : live)
        bed.end(index);
    CHECK(bed.table->count() == 0);
}

TEST_CASE("a source keeps its port, and its mapping towards others") {
    Bed bed;
    const NatRange range = range_to("192.0.2.1");
    const Tuple first = tuple_of_ends("10.0.0.1", 5555, "203.0.113.1", 53);
    const Tuple second = tuple_of_ends("10.0.0.2", 5555, "203.0.113.1", 53);
    const Tuple second_to_other = tuple_of_ends("10.0.0.2", 5555, "203.0.113.2", 53);
    CHECK(bed.translated(first, range).src_port.host() == 5555);
    REQUIRE(bed.start(first, range) != kNoFlow);
    const FlowIndex index = bed.start(second, range);
    REQUIRE(index != kNoFlow);
    const uint16_t port = bed.table->tuple_of(index, Direction::Reply).dst_port.host();
    CHECK(port != 5555);
    CHECK(port >= 1024);
    // 5555 would be free towards the other, but this source is known by another port.
    CHECK(bed.translated(second_to_other, range).src_port.host() == port);
    bed.end(index);
    CHECK(bed.translated(second_to_other, range).src_port.host() == 5555);
}

TEST_CASE("call ids of GRE are translated for a helper, and never by a rule") {
    constexpr uint8_t kGre = 47;
    Bed bed;
    const Tuple call = tuple_of_ends("10.0.0.2", 56322, "198.51.100.9", 0, kGre);
    NatRange range = range_to("192.0.2.1", 34949, 34949);
    CHECK(bed.translated(call, range).src == address_of("192.0.2.1"));
    CHECK(bed.translated(call, range).src_port.host() == 56322);
    range.has_call_id = true;
    CHECK(bed.translated(call, range).src_port.host() == 34949);
    CHECK(bed.translated(call, range).dst_port.host() == 0);
}

TEST_CASE("ports stay in their class") {
    Bed bed;
    const NatRange range = range_to("192.0.2.1");
    const auto port_after_clash = [&](uint16_t port) {
        REQUIRE(bed.start(tuple_of_ends("10.0.0.1", port, "203.0.113.1", 53), range) != kNoFlow);
        return bed.translated(tuple_of_ends("10.0.0.2", port, "203.0.113.1", 53), range)
            .src_port.host();
    };
    const uint16_t low = port_after_clash(100), middle = port_after_clash(700),
                   high = port_after_clash(7000);
    CHECK((1 <= low && low <= 511 && low != 100));
    CHECK((600 <= middle && middle <= 1023 && middle != 700));
    CHECK((1024 <= high && high != 7000));
}

TEST_CASE("replies come home, or another port is taken") {
    Bed bed;
    const Flow starting{};
    // Only even ports are this worker's.
    TupleSpace space{.flows = *bed.table,
                     .sources = bed.sources,
                     .random = bed.random,
                     .now = 1,
                     .starting = starting,
                     .is_home = [](const void*, const Tuple& reply) noexcept {
                         return reply.dst_port.host() % 2 == 0;
                     }};
    for (uint16_t port = 2000; port < 2200; ++port) {
        Binding binding(tuple_of_ends("10.0.0.1", port, "203.0.113.1", 53));
        bind(space, binding, Manip::Source, range_to("192.0.2.1"));
        CHECK(binding.translated.src_port.host() % 2 == 0);
        if (port % 2 == 0) CHECK(binding.translated.src_port.host() == port);
    }
}

TEST_CASE("the index of sources has the flows of a source, and no others") {
    Bed bed;
    std::mt19937 random(29);
    std::map<FlowIndex, Tuple> live;
    const NatRange range = range_to("192.0.2.1");
    for (int step = 0; step < 20'000; ++step) {
        const Tuple original = tuple_of_ends(random() % 2 == 0 ? "10.0.0.1" : "10.0.0.2",
                                             static_cast<uint16_t>(2000 + random() % 4),
                                             "203.0.113.1", static_cast<uint16_t>(random() % 1000));
        if (live.size() < 200 && random() % 2 == 0) {
            if (!bed.table->keys().find(original).is_none()) continue;
            const FlowIndex index = bed.start(original, range);
            if (index != kNoFlow) live[index] = original;
        } else if (!live.empty()) {
            auto victim = live.begin();
            std::advance(victim, static_cast<long>(random() % live.size()));
            bed.end(victim->first);
            live.erase(victim);
        }
        size_t wanted = 0, seen = 0;
        for (const auto& [index, tuple] : live)
            wanted += tuple.src == original.src && tuple.src_port == original.src_port;
        bed.sources.any_of(original, [&](FlowIndex index) {
            const auto at = live.find(index);
            REQUIRE(at != live.end());
            CHECK(at->second.src == original.src);
            CHECK(at->second.src_port == original.src_port);
            ++seen;
            return false;
        });
        REQUIRE(seen == wanted);
    }
}

TEST_CASE("nobody is translated to a port that the box serves") {
    Bed bed;
    PortSets served;
    served.tcp.set(22).set(8080).set(9000).set(9001);
    bed.reserved.assign(served);
    const auto tcp_from = [](uint16_t port) {
        return tuple_of_ends("10.0.0.1", port, "203.0.113.1", 80, kTcp);
    };
    const NatRange outside = range_to("192.0.2.1");
    const uint16_t moved = bed.translated(tcp_from(8080), outside).src_port.host();
    CHECK(moved >= 1024);
    CHECK(moved != 8080);
    CHECK(bed.translated(tcp_from(22), outside).src_port.host() < 512);
    CHECK(bed.translated(tcp_from(22), outside).src_port.host() != 22);
    CHECK(bed.translated(tcp_from(8081), outside).src_port.host() == 8081);
    // Another protocol's ports are other ports.
    CHECK(bed.translated(tuple_of_ends("10.0.0.1", 8080, "203.0.113.1", 80), outside)
              .src_port.host() == 8080);
    // Who keeps its address keeps its port, and who is given a single port has it.
    CHECK(bed.translated(tcp_from(8080), range_to("10.0.0.1")).src_port.host() == 8080);
    CHECK(bed.translated(tcp_from(5), range_to("192.0.2.1", 22, 22)).src_port.host() == 22);
    for (int draw = 0; draw < 50; ++draw)
        CHECK(bed.translated(tcp_from(5), range_to("192.0.2.1", 9000, 9002)).src_port.host() ==
              9002);
    // None but served ports in the range: the rule is obeyed.
    const uint16_t last =
        bed.translated(tcp_from(5), range_to("192.0.2.1", 9000, 9001)).src_port.host();
    CHECK((last == 9000 || last == 9001));
}

}  // namespace rampart::test
