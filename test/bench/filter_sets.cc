#include "bench/filter_sets.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <ctime>
#include <set>

#include "base/endian.h"
#include "packet/packet.h"

namespace rampart::bench {
namespace {

// Draws an index by weight.
template <size_t N>
unsigned draw(const std::array<unsigned, N>& weights, std::mt19937_64& random) {
    unsigned total = 0;
    for (const unsigned weight : weights)
        total += weight;
    unsigned at = static_cast<unsigned>(random() % total);
    for (unsigned i = 0;; ++i) {
        if (at < weights[i]) return i;
        at -= weights[i];
    }
}

AddressBytes cut(AddressBytes address, unsigned length) noexcept {
    for (unsigned bit = length; bit < 128; ++bit)
        address[bit / 8] &= static_cast<uint8_t>(~(0x80u >> (bit % 8)));
    return address;
}

// The networks of one side: sites, with networks inside them, with hosts inside those.
class Networks {
  public:
    Networks(Family family, size_t filters, std::mt19937_64& random) : family_(family) {
        const size_t sites = std::clamp<size_t>(filters / 60, 4, 400);
        for (size_t i = 0; i < sites; ++i)
            sites_.push_back(random_address(random));
        const size_t networks = std::clamp<size_t>(filters / 4, 16, 20000);
        const unsigned site_bits = family == Family::Ipv4 ? 16 : 32;
        for (size_t i = 0; i < networks; ++i) {
            AddressBytes address = random_address(random);
            const AddressBytes& site = sites_[random() % sites_.size()];
            std::copy_n(site.begin(), site_bits / 8, address.begin());
            networks_.push_back(address);
        }
    }

    // 0: any, 1: short, 2: site, 3: network, 4: host.
    unsigned draw_prefix(unsigned kind, AddressBytes& address, std::mt19937_64& random) const {
        const bool v4 = family_ == Family::Ipv4;
        unsigned length = 0;
        address = networks_[random() % networks_.size()];
        const auto between = [&](unsigned low, unsigned high) {
            return low + static_cast<unsigned>(random() % (high - low + 1));
        };
        if (kind == 1) length = v4 ? between(4, 12) : between(12, 28);
        if (kind == 2) length = v4 ? between(14, 20) : between(32, 44);
        if (kind == 3) length = v4 ? between(21, 28) : between(48, 64);
        if (kind == 4) {
            length = v4 ? 32 : 128;
            const unsigned first = v4 ? 3 : 8;
            for (unsigned i = first; i < (v4 ? 4u : 16u); ++i)
                address[i] = static_cast<uint8_t>(i < 14 && !v4 ? 0 : random());
        }
        address = cut(address, length);
        return length;
    }

  private:
    AddressBytes random_address(std::mt19937_64& random) const {
        AddressBytes address{};
        const unsigned size = family_ == Family::Ipv4 ? 4 : 16;
        for (unsigned i = 0; i < size; ++i)
            address[i] = static_cast<uint8_t>(random());
        if (family_ == Family::Ipv6) {
            address[0] = 0x20;
            address[1] = 0x01;
        }
        return address;
    }

    Family family_;
    std::vector<AddressBytes> sites_;
    std::vector<AddressBytes> networks_;
};

struct Character {
    std::array<unsigned, 5> src, dst;  // weights of the kinds of prefix
    std::array<unsigned, 5> src_port, dst_port;
    std::array<unsigned, 5> protocol;  // any, tcp, udp, icmp, gre
};

// After the tables of prefix pairs and port classes in the ClassBench paper, in round numbers.
const Character& character_of(Flavour flavour) noexcept {
    static constexpr Character kAcl = {{25, 5, 10, 35, 25},
                                       {2, 3, 5, 35, 55},
                                       {97, 1, 1, 1, 0},
                                       {25, 5, 1, 12, 57},
                                       {18, 60, 17, 4, 1}};
    static constexpr Character kFw = {{40, 8, 7, 15, 30},
                                      {30, 5, 10, 20, 35},
                                      {55, 12, 3, 5, 25},
                                      {25, 25, 5, 10, 35},
                                      {20, 50, 22, 5, 3}};
    static constexpr Character kIpc = {{20, 8, 12, 30, 30},
                                       {15, 5, 15, 30, 35},
                                       {65, 8, 2, 5, 20},
                                       {35, 10, 3, 12, 40},
                                       {25, 48, 20, 5, 2}};
    return flavour == Flavour::Acl ? kAcl : flavour == Flavour::Fw ? kFw : kIpc;
}

// 0: any, 1: 1024 and above, 2: below 1024, 3: an arbitrary range, 4: one port.
void draw_ports(unsigned kind, uint16_t& first, uint16_t& last, std::mt19937_64& random) {
    static constexpr uint16_t kWellKnown[] = {20,  21,  22,  23,   25,   53,   80,   110,  111,
                                              123, 135, 139, 143,  161,  389,  443,  445,  514,
                                              636, 993, 995, 1433, 1521, 1723, 2049, 3306, 5060};
    if (kind == 1) first = 1024;
    if (kind == 2) last = 1023;
    if (kind == 3) {
        first = static_cast<uint16_t>(1024 + random() % 60000);
        last = static_cast<uint16_t>(first + random() % std::min(2000, 65535 - first));
    }
    if (kind == 4) {
        first = random() % 3 != 0 ? kWellKnown[random() % std::size(kWellKnown)]
                                  : static_cast<uint16_t>(random() % 10000);
        last = first;
    }
}

std::array<uint64_t, 6> identity_of(const Filter& filter) {
    std::array<uint64_t, 6> words{};
    std::memcpy(&words[0], filter.src.data(), 16);
    std::memcpy(&words[2], filter.dst.data(), 16);
    words[4] = uint64_t{filter.first_src_port} << 48 | uint64_t{filter.last_src_port} << 32 |
               uint64_t{filter.first_dst_port} << 16 | filter.last_dst_port;
    words[5] = uint64_t{filter.src_length} << 32 | uint64_t{filter.dst_length} << 16 |
               static_cast<uint16_t>(filter.protocol);
    return words;
}

// How narrow a filter is: specific ones come first, as people write them.
unsigned weight_of(const Filter& filter) noexcept {
    return filter.src_length + filter.dst_length;
}

AddressBytes address_inside(const AddressBytes& prefix, unsigned length, unsigned bits,
                            std::mt19937_64& random) {
    AddressBytes address = prefix;
    for (unsigned bit = length; bit < bits; ++bit)
        if (random() & 1) address[bit / 8] |= static_cast<uint8_t>(0x80u >> (bit % 8));
    return address;
}

template <typename T>
Intervals<T> one_run(T first, T last) {
    return Intervals<T>({{first, last}});
}

void project_address(const AddressBytes& prefix, unsigned length, Family family,
                     Intervals<uint32_t>& v4, Intervals<Address6>& v6) {
    if (family == Family::Ipv4) {
        const uint32_t first = load_host32(prefix.data());
        v4 = one_run(first, first | (length == 0 ? ~0u : length == 32 ? 0u : ~0u >> length));
        return;
    }
    AddressBytes last = prefix;
    for (unsigned bit = length; bit < 128; ++bit)
        last[bit / 8] |= static_cast<uint8_t>(0x80u >> (bit % 8));
    const auto half = [](const AddressBytes& bytes, size_t at) {
        return uint64_t{load_host32(&bytes[at])} << 32 | load_host32(&bytes[at + 4]);
    };
    v6 =
        one_run(Address6{half(prefix, 0), half(prefix, 8)}, Address6{half(last, 0), half(last, 8)});
}

}  // namespace

double thread_ms() noexcept {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

std::string_view to_string(Flavour flavour) noexcept {
    return flavour == Flavour::Acl ? "acl" : flavour == Flavour::Fw ? "fw" : "ipc";
}

std::vector<Filter> make_filters(Flavour flavour, Family family, size_t count, uint64_t seed) {
    std::mt19937_64 random(seed);
    const Networks sources(family, count, random), destinations(family, count, random);
    const Character& character = character_of(flavour);
    std::vector<Filter> filters;
    std::set<std::array<uint64_t, 6>> known;
    while (filters.size() < count) {
        Filter filter;
        filter.src_length = sources.draw_prefix(draw(character.src, random), filter.src, random);
        filter.dst_length =
            destinations.draw_prefix(draw(character.dst, random), filter.dst, random);
        static constexpr int kProtocols[] = {-1, ip_protocol::kTcp, ip_protocol::kUdp,
                                             ip_protocol::kIcmp, ip_protocol::kGre};
        filter.protocol = kProtocols[draw(character.protocol, random)];
        if (filter.protocol == ip_protocol::kTcp || filter.protocol == ip_protocol::kUdp) {
            draw_ports(draw(character.src_port, random), filter.first_src_port,
                       filter.last_src_port, random);
            draw_ports(draw(character.dst_port, random), filter.first_dst_port,
                       filter.last_dst_port, random);
        }
        if (weight_of(filter) < 8 && random() % 20 != 0) continue;  // nearly everything
        if (known.insert(identity_of(filter)).second) filters.push_back(filter);
    }
    std::stable_sort(filters.begin(), filters.end(), [](const Filter& a, const Filter& b) {
        return weight_of(a) / 8 > weight_of(b) / 8;
    });
    return filters;
}

Header header_inside(const Filter& filter, Family family, std::mt19937_64& random) {
    const unsigned bits = family == Family::Ipv4 ? 32 : 128;
    Header header;
    header.src = address_inside(filter.src, filter.src_length, bits, random);
    header.dst = address_inside(filter.dst, filter.dst_length, bits, random);
    const auto port = [&](uint16_t first, uint16_t last) {
        return static_cast<uint16_t>(first + random() % (last - first + 1u));
    };
    header.src_port = port(filter.first_src_port, filter.last_src_port);
    header.dst_port = port(filter.first_dst_port, filter.last_dst_port);
    static constexpr uint8_t kUsual[] = {ip_protocol::kTcp, ip_protocol::kTcp, ip_protocol::kUdp};
    header.protocol = filter.protocol >= 0 ? static_cast<uint8_t>(filter.protocol)
                                           : kUsual[random() % std::size(kUsual)];
    return header;
}

Projection projection_of(const Filter& filter, Family family) {
    Projection projection;
    projection.families = family == Family::Ipv4 ? kIpv4Only : kIpv6Only;
    project_address(filter.src, filter.src_length, family, projection.src4, projection.src6);
    project_address(filter.dst, filter.dst_length, family, projection.dst4, projection.dst6);
    projection.src_port = one_run(filter.first_src_port, filter.last_src_port);
    projection.dst_port = one_run(filter.first_dst_port, filter.last_dst_port);
    if (filter.protocol >= 0) {
        projection.protocols.reset();
        projection.protocols.set(static_cast<size_t>(filter.protocol));
    }
    return projection;
}

}  // namespace rampart::bench
