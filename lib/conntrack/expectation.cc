#include "conntrack/expectation.h"

namespace rampart {
namespace {

constexpr uint8_t kWildcards = expectation_flag::kAnySource | expectation_flag::kAnySourcePort;

bool has_same_destination(const Tuple& a, const Tuple& b) noexcept {
    return a.dst_port == b.dst_port && a.dst == b.dst && a.protocol == b.protocol &&
           a.family == b.family && a.zone == b.zone;
}

bool has_same_source(const Tuple& a, const Tuple& b, uint8_t wildcards) noexcept {
    return ((wildcards & expectation_flag::kAnySource) != 0 || a.src == b.src) &&
           ((wildcards & expectation_flag::kAnySourcePort) != 0 || a.src_port == b.src_port);
}

}  // namespace

bool Expectation::matches(const Tuple& packet) const noexcept {
    return has_same_destination(tuple, packet) && has_same_source(tuple, packet, flags);
}

bool Expectation::overlaps(const Expectation& other) const noexcept {
    return has_same_destination(tuple, other.tuple) &&
           has_same_source(tuple, other.tuple, flags | other.flags);
}

bool Expectation::is_same(const Expectation& other) const noexcept {
    return ((flags ^ other.flags) & kWildcards) == 0 && overlaps(other);
}

bool Expectation::leads_where(const Expectation& other) const noexcept {
    if (has(expectation_flag::kTranslated) != other.has(expectation_flag::kTranslated))
        return false;
    return !has(expectation_flag::kTranslated) ||
           (translation.destination == other.translation.destination &&
            translation.destination_port == other.translation.destination_port);
}

}  // namespace rampart
