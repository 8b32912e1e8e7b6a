#include "rules/classifier/state_rules.h"

namespace rampart {
namespace {

template <typename T>
bool is_nothing(const Intervals<T>& set) {
    return set.runs().empty();
}

// What can keep a packet of one family from matching, apart from class and direction.
struct Narrowing {
    bool is_never;  // matches no packet of this family
    bool is_none;   // matches all of them
};

Narrowing narrowing_of(const Projection& projection, Family family) {
    const bool is_ipv4 = family == Family::Ipv4;
    const bool has_family = projection.families & (is_ipv4 ? kIpv4Only : kIpv6Only);
    const bool has_addresses = is_ipv4
                                   ? !is_nothing(projection.src4) && !is_nothing(projection.dst4)
                                   : !is_nothing(projection.src6) && !is_nothing(projection.dst6);
    const bool takes_addresses =
        is_ipv4 ? projection.src4.is_everything() && projection.dst4.is_everything()
                : projection.src6.is_everything() && projection.dst6.is_everything();
    return {.is_never = !has_family || !has_addresses,
            .is_none = takes_addresses && projection.protocols.all() && projection.in.all() &&
                       projection.out.all() && projection.src_port.is_everything() &&
                       projection.dst_port.is_everything()};
}

}  // namespace

StateRules::StateRules(const RuleList& rules, const std::vector<Projection>& projections) {
    for (const Family family : {Family::Ipv4, Family::Ipv6}) {
        for (unsigned ct = 0; ct < kCtStateCount; ++ct) {
            OfState& own = of_[family == Family::Ipv6][ct];
            for (uint32_t i = 0; i < projections.size() && own.first == kNoRule; ++i) {
                if (!projections[i].ct[ct]) continue;
                const Narrowing narrowing = narrowing_of(projections[i], family);
                if (narrowing.is_never) continue;
                own.first = narrowing.is_none ? i : kAsks;
                if (projections[i].is_by_state && rules[i].decides_alone())
                    own.deciding = &rules[i];
            }
        }
    }
}

}  // namespace rampart
