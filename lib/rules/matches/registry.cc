#include "rules/matches/registry.h"

namespace rampart {

namespace {

// The order in which a rule's matches are printed and evaluated.
constexpr const MatchType* kMatchTypes[] = {
    &kMatchIn,
    &kMatchOut,
    &kMatchFamily,
    &kMatchProto,
    &kMatchSrc,
    &kMatchDst,
    &kMatchSport,
    &kMatchDport,
    &kMatchMatch,
    &kMatchIcmp,
    &kMatchIcmpv6,
    &kMatchState,
    &kMatchCtDir,
    &kMatchCtStatus,
    &kMatchCtHelper,
    &kMatchCtMark,
    &kMatchMark,
    &kMatchTcpFlags,
    &kMatchSrcType,
    &kMatchDstType,
    &kMatchDstIface,
    &kMatchCheck,
    &kMatchMacSrc,
    &kMatchVlan,
    &kMatchDscp,
    &kMatchTtl,
    &kMatchLength,
    &kMatchFrag,
    &kMatchPktType,
    &kMatchTime,
    // Last: what they do to their buckets and counts, they do for packets that all others let in.
    &kMatchConnlimit,
    &kMatchLimit,
};

}  // namespace

std::span<const MatchType* const> match_types() noexcept {
    return kMatchTypes;
}

}  // namespace rampart
