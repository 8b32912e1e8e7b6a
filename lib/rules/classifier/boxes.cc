#include "rules/classifier/boxes.h"

#include <bit>

namespace rampart {
namespace {

// Of one rule, and from when on every further rule is one box: the memory of an index is bounded.
constexpr size_t kMaxBoxesPerRule = 256;
constexpr size_t kMaxBoxes = 2'000'000;

template <unsigned AddressWords>
using Address = std::array<Ternary, AddressWords / 2>;

using PortRun = Interval<uint16_t>;

// The bits that `first` and `last` share, from the top.
Ternary common_bits(uint32_t first, uint32_t last) noexcept {
    const uint32_t mask =
        first == last ? ~uint32_t{0} : ~(~uint32_t{0} >> std::countl_zero(first ^ last));
    return {first & mask, mask};
}

Address<2> covering(const Interval<uint32_t>& run) noexcept {
    return {common_bits(run.first, run.last)};
}

Address<8> covering(const Interval<Address6>& run) noexcept {
    Address<8> address;
    const std::array<uint32_t, 4> first = {
        static_cast<uint32_t>(run.first.high >> 32), static_cast<uint32_t>(run.first.high),
        static_cast<uint32_t>(run.first.low >> 32), static_cast<uint32_t>(run.first.low)};
    const std::array<uint32_t, 4> last = {
        static_cast<uint32_t>(run.last.high >> 32), static_cast<uint32_t>(run.last.high),
        static_cast<uint32_t>(run.last.low >> 32), static_cast<uint32_t>(run.last.low)};
    for (unsigned i = 0; i < 4; ++i) {
        address[i] = common_bits(first[i], last[i]);
        if (first[i] != last[i]) break;  // the words after it are free
    }
    return address;
}

// The largest prefix that begins at `run.first` and does not reach beyond `run.last`.
uint32_t prefix_end(const Interval<uint32_t>& run) noexcept {
    unsigned free_bits = run.first == 0 ? 32 : static_cast<unsigned>(std::countr_zero(run.first));
    for (; free_bits > 0; --free_bits) {
        const uint64_t last = run.first + (uint64_t{1} << free_bits) - 1;
        if (last <= run.last) return static_cast<uint32_t>(last);
    }
    return run.first;
}

Address6 prefix_end(const Interval<Address6>& run) noexcept {
    const Address6& at = run.first;
    const auto trailing = at.low != 0 ? std::countr_zero(at.low) : 64 + std::countr_zero(at.high);
    for (unsigned free_bits = static_cast<unsigned>(trailing); free_bits > 0; --free_bits) {
        Address6 last = at;
        if (free_bits >= 64) {
            last.low = ~uint64_t{0};
            last.high |= free_bits == 128 ? ~uint64_t{0} : (uint64_t{1} << (free_bits - 64)) - 1;
        } else {
            last.low |= (uint64_t{1} << free_bits) - 1;
        }
        if (last <= run.last) return last;
    }
    return at;
}

// Runs as prefixes; one that covers all when there would be too many.
template <unsigned AddressWords, typename T>
std::vector<Address<AddressWords>> prefixes_of(const Intervals<T>& set) {
    std::vector<Address<AddressWords>> prefixes;
    if (set.runs().empty()) return prefixes;
    for (Interval<T> rest : set.runs()) {
        for (;;) {
            const T last = prefix_end(rest);
            prefixes.push_back(covering(Interval<T>{rest.first, last}));
            if (last == rest.last) break;
            rest.first = after(last);
            if (prefixes.size() > kMaxBoxesPerRule)
                return {covering(Interval<T>{set.runs().front().first, set.runs().back().last})};
        }
    }
    return prefixes;
}

Ternary port_bits(const PortRun& src, const PortRun& dst) noexcept {
    const auto bits_of = [](const PortRun& run) {
        Ternary bits = common_bits(run.first, run.last);
        bits.mask &= 0xffff;
        return bits;
    };
    const Ternary high = bits_of(src);
    const Ternary low = bits_of(dst);
    return {high.value << 16 | low.value, high.mask << 16 | low.mask};
}

// A bit of a key's attributes is clear when no box bit allows it, and set when nothing else of its
// field is allowed.
Ternary attribute_bits(const AttributeBits& allowed, const Attributes& attributes) {
    Ternary bits;
    for (unsigned bit = 1; bit < attributes.bit_count() && bit < 32; ++bit) {
        const uint32_t one = uint32_t{1} << bit;
        if (!(allowed[0] & one)) {
            bits.mask |= one;
            continue;
        }
        const AttributeBits field = attributes.field_of(bit);
        bool is_only = true;
        for (unsigned i = 0; i < kAttributeWords; ++i)
            is_only &= (allowed[i] & field[i]) == (i == 0 ? one : 0);
        if (!is_only) continue;
        bits.mask |= one;
        bits.value |= one;
    }
    return bits;
}

template <typename Piece, typename Hull>
void widen(std::vector<Piece>& pieces, Hull hull, size_t largest, size_t& product) {
    if (product <= kMaxBoxesPerRule || pieces.size() != largest) return;
    product /= pieces.size();
    pieces = {hull()};
}

template <unsigned AddressWords>
struct Pieces {
    std::vector<Address<AddressWords>> src, dst;
    std::vector<PortRun> src_ports, dst_ports;

    // Until there are few enough combinations: the field with most pieces becomes one.
    template <typename T>
    void limit(const Intervals<T>& all_src, const Intervals<T>& all_dst) {
        const auto hull_of = [](const auto& set) {
            auto hull = set.runs().front();
            hull.last = set.runs().back().last;
            return hull;
        };
        size_t product = src.size() * dst.size() * src_ports.size() * dst_ports.size();
        while (product > kMaxBoxesPerRule) {
            const size_t largest =
                std::max({src.size(), dst.size(), src_ports.size(), dst_ports.size()});
            widen(
                src, [&] { return covering(hull_of(all_src)); }, largest, product);
            widen(
                dst, [&] { return covering(hull_of(all_dst)); }, largest, product);
            widen(
                src_ports,
                [&] {
                    return PortRun{src_ports.front().first, src_ports.back().last};
                },
                largest, product);
            widen(
                dst_ports,
                [&] {
                    return PortRun{dst_ports.front().first, dst_ports.back().last};
                },
                largest, product);
        }
    }
};

template <unsigned AddressWords, typename T>
void add_boxes(std::vector<Box<AddressWords>>& boxes, Box<AddressWords> box,
               const Projection& projection, const Intervals<T>& src, const Intervals<T>& dst) {
    Pieces<AddressWords> pieces{prefixes_of<AddressWords>(src), prefixes_of<AddressWords>(dst),
                                projection.src_port.runs(), projection.dst_port.runs()};
    pieces.limit(src, dst);
    for (const auto& from : pieces.src) {
        for (const auto& to : pieces.dst) {
            std::copy(from.begin(), from.end(), box.selector.begin());
            std::copy(to.begin(), to.end(), box.selector.begin() + from.size());
            for (const PortRun& src_run : pieces.src_ports) {
                for (const PortRun& dst_run : pieces.dst_ports) {
                    box.first_src_port = src_run.first;
                    box.last_src_port = src_run.last;
                    box.first_dst_port = dst_run.first;
                    box.last_dst_port = dst_run.last;
                    box.selector[AddressWords] = port_bits(src_run, dst_run);
                    boxes.push_back(box);
                }
            }
        }
    }
}

template <unsigned AddressWords, typename T>
void add_rule(std::vector<Box<AddressWords>>& boxes, uint32_t position,
              const Projection& projection, const Attributes& attributes, const Intervals<T>& src,
              const Intervals<T>& dst) {
    if (src.runs().empty() || dst.runs().empty() || projection.src_port.runs().empty() ||
        projection.dst_port.runs().empty())
        return;  // matches nothing of this family
    Box<AddressWords> box;
    box.position = position;
    box.allowed = attributes.allowed_by(projection);
    box.selector[AddressWords + 1] = attribute_bits(box.allowed, attributes);
    if (boxes.size() >= kMaxBoxes) return boxes.push_back(box);
    add_boxes(boxes, box, projection, src, dst);
}

}  // namespace

Boxes make_boxes(const std::vector<Projection>& projections, const Attributes& attributes) {
    Boxes boxes;
    for (size_t i = 0; i < projections.size(); ++i) {
        const Projection& projection = projections[i];
        const auto position = static_cast<uint32_t>(i);
        if (projection.families & kIpv4Only)
            add_rule(boxes.v4, position, projection, attributes, projection.src4, projection.dst4);
        if (projection.families & kIpv6Only)
            add_rule(boxes.v6, position, projection, attributes, projection.src6, projection.dst6);
    }
    return boxes;
}

}  // namespace rampart
