// Sets: how long a file takes to load, what the structures cost, and look-ups and changes per
// second.
//
//   build-bench/test/sets-bench [PREFIXES4] [PREFIXES6]
//
// Prefix lengths are those of a routing table, mostly /24 and /48, from a fixed seed.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <random>
#include <sys/resource.h>
#include <unistd.h>

#include <fmt/format.h>

#include "config/loader.h"
#include "config/set_file.h"
#include "rules/sets/set_use.h"

using namespace rampart;

namespace {

double seconds_since(std::chrono::steady_clock::time_point begin) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

std::string random_prefix4(std::mt19937_64& random) {
    const unsigned roll = static_cast<unsigned>(random() % 10);
    const unsigned length = roll < 6   ? 24
                            : roll < 8 ? 32
                                       : 16 + static_cast<unsigned>(random() % 8);
    const uint32_t word =
        static_cast<uint32_t>(random()) & ~PrefixTable<uint32_t>::host_mask(length);
    return IpPrefix{{bytes_of(word), Family::Ipv4}, length}.to_string();
}

std::string random_prefix6(std::mt19937_64& random) {
    const unsigned length = random() % 2 ? 48 : 29 + static_cast<unsigned>(random() % 36);
    Word128 word = static_cast<Word128>(0x2000 | random() % 0x1000) << 112 |
                   static_cast<Word128>(random()) << 48;
    word &= ~PrefixTable<Word128>::host_mask(length);
    return IpPrefix{{bytes_of(word), Family::Ipv6}, length}.to_string();
}

std::string write_file(size_t count4, size_t count6) {
    std::mt19937_64 random(1);
    const std::string path = fmt::format("/tmp/sets-bench-{}.txt", getpid());
    std::ofstream file(path);
    for (size_t i = 0; i < count4; ++i)
        file << random_prefix4(random) << '\n';
    for (size_t i = 0; i < count6; ++i)
        file << random_prefix6(random) << '\n';
    return path;
}

void look_up(const NamedSet& set, const char* what, std::vector<SetElement> probes) {
    std::mt19937_64 random(2);
    std::shuffle(probes.begin(), probes.end(), random);
    uint64_t hits = 0;
    std::vector<double> rounds;
    for (int round = 0; round < 7; ++round) {
        const auto begin = std::chrono::steady_clock::now();
        for (const SetElement& probe : probes)
            hits += set.holds(probe, 1) ? 1 : 0;
        rounds.push_back(seconds_since(begin) / static_cast<double>(probes.size()));
    }
    std::sort(rounds.begin(), rounds.end());
    fmt::print("look-up {:<28} {:6.1f} ns   ({} of {} found)\n", what, rounds[3] * 1e9, hits / 7,
               probes.size());
}

std::vector<SetElement> probes_of(const NamedSet& set, Family family, bool random_addresses) {
    std::mt19937_64 random(3);
    std::vector<SetElement> probes;
    SetCursor cursor;
    SetEntry entry;
    while (probes.size() < 200000) {
        SetElement probe;
        if (random_addresses) {
            probe.address[0] = family == Family::Ipv4
                                   ? bytes_of(static_cast<uint32_t>(random()))
                                   : bytes_of(static_cast<Word128>(random()) << 64 | random());
        } else {
            if (!set.next(cursor, entry, Now{})) break;
            if (entry.element.family != family) continue;
            probe = entry.element;
        }
        probe.family = family;
        probe.length = {static_cast<uint8_t>(address_bits(family)), 0};
        probes.push_back(probe);
    }
    return probes;
}

void change(NamedSet& set, std::mt19937_64& random) {
    std::vector<SetElement> elements;
    for (int i = 0; i < 20000; ++i)
        parse_set_element(set.type(), random_prefix4(random), Names{}, elements);
    auto begin = std::chrono::steady_clock::now();
    for (const SetElement& element : elements) {
        set.add(element, 0, Now{});
        set.take_retired();
    }
    fmt::print("add, one by one     {:.0f} a second\n",
               static_cast<double>(elements.size()) / seconds_since(begin));
    begin = std::chrono::steady_clock::now();
    for (const SetElement& element : elements) {
        set.remove(element);
        set.take_retired();
    }
    fmt::print("delete, one by one  {:.0f} a second\n",
               static_cast<double>(elements.size()) / seconds_since(begin));
}

void bench_hash(uint32_t count) {
    NamedSet set(
        {.name = "h", .type = find_set_type("ip"), .is_dynamic = true, .max = count, .file = {}},
        KeyedHash::random());
    std::mt19937_64 random(4);
    std::vector<SetElement> elements(count);
    for (SetElement& element : elements) {
        element.address[0] = bytes_of(static_cast<uint32_t>(random()));
        element.family = Family::Ipv4;
        element.length[0] = 32;
    }
    const auto begin = std::chrono::steady_clock::now();
    for (const SetElement& element : elements)
        set.add_from_packet(element, 60, 1);
    fmt::print("dynamic ip, {} elements: add {:.1f} ns, {} refused, {:.1f} MB\n", count,
               seconds_since(begin) / count * 1e9, set.refused(),
               static_cast<double>(set.memory_bytes()) / 1e6);
    std::vector<SetElement> probes(elements.begin(),
                                   elements.begin() + std::min<uint32_t>(count, 200000));
    look_up(set, "dynamic, present", probes);
    for (SetElement& probe : probes)
        probe.address[0] = bytes_of(static_cast<uint32_t>(random()));
    look_up(set, "dynamic, absent", probes);
}

void bench_file(size_t count4, size_t count6) {
    const std::string path = write_file(count4, count6);
    const std::string text = fmt::format(
        "version: 1\n"
        "interfaces: {{ a: {{ device: \"vdev:net_null0\", bridge: b }},"
        " b: {{ device: \"vdev:net_null1\" }} }}\n"
        "sets: {{ big: {{ type: net, file: {}, max: 4000000 }} }}\n"
        "chains: {{ forward: {{ policy: accept, rules: [ {{ src: \"@big\", action: drop }} ] }} "
        "}}\n",
        path);
    rusage before{}, after{};
    getrusage(RUSAGE_SELF, &before);
    const auto begin = std::chrono::steady_clock::now();
    Diagnostics diagnostics;
    const auto configuration = load_configuration("bench.yaml", text, diagnostics);
    const double seconds = seconds_since(begin);
    getrusage(RUSAGE_SELF, &after);
    unlink(path.c_str());
    if (!configuration) {
        fmt::print("{}", diagnostics.to_text());
        return;
    }
    NamedSet& set = *configuration->snapshot->ruleset.names.sets[0]->set;
    fmt::print("\n{} IPv4 and {} IPv6 prefixes in the file, {} elements\n", count4, count6,
               set.size());
    fmt::print("load {:.2f} s, {:.1f} MB in use, {:.1f} MB at the peak of loading\n", seconds,
               static_cast<double>(set.memory_bytes()) / 1e6,
               static_cast<double>(after.ru_maxrss - before.ru_maxrss) * 1024 / 1e6);
    for (const Family family : {Family::Ipv4, Family::Ipv6}) {
        const std::string name(to_string(family));
        look_up(set, (name + ", present").c_str(), probes_of(set, family, false));
        look_up(set, (name + ", any address").c_str(), probes_of(set, family, true));
    }
    std::mt19937_64 random(5);
    change(set, random);
}

}  // namespace

int main(int argc, char** argv) {
    const size_t count4 = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 1'000'000;
    const size_t count6 = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 200'000;
    bench_file(count4, 0);
    bench_file(0, count6);
    bench_file(1000, 1000);
    bench_hash(1000);
    bench_hash(500'000);
}
