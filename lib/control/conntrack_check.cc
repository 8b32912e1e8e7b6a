#include "control/conntrack_check.h"

#include <fmt/format.h>

#include "control/conntrack_names.h"
#include "packet/packet.h"

namespace rampart {
namespace {

namespace opt = conntrack_option;

// Without an influence on which flows are meant.
constexpr uint32_t kNoFilter = 1u << opt::Zero | 1u << opt::EventMask | 1u << opt::Output |
                               1u << opt::BufferSize | 1u << opt::Timeout;
constexpr uint32_t kGoWithZero =
    kNoFilter | 1u << opt::Family | 1u << opt::SrcNat | 1u << opt::DstNat | 1u << opt::AnyNat;

// -G names one flow by one whole tuple.
std::string check_addresses(const ConntrackGiven& given, bool& by_original) {
    by_original = given.has(opt::Src) || given.has(opt::Dst);
    const bool by_reply = given.has(opt::ReplySrc) || given.has(opt::ReplyDst);
    if (by_original || !by_reply)
        return given.has(opt::Src) && given.has(opt::Dst)
                   ? ""
                   : "you have to specify `--src' and `--dst'";
    return given.has(opt::ReplySrc) && given.has(opt::ReplyDst)
               ? ""
               : "you have to specify `--reply-src' and `--reply-dst'";
}

std::string check_get(const ConntrackGiven& given, const FlowFilter& filter) {
    if (!given.has(opt::Protocol))
        return "You need to supply the `--protonum' option for this command";
    bool by_original = false;
    if (std::string problem = check_addresses(given, by_original); !problem.empty()) return problem;
    const uint8_t protocol = *filter.protocol;
    if (is_icmp(protocol) && !filter.icmp_type)
        return fmt::format("You need to supply the `--{}-type' option for this command",
                           conntrack_protocol_name(protocol));
    const bool is_gre = protocol == ip_protocol::kGre;
    if (!is_gre && !(prints_ports(protocol) && protocol != kDccp)) return {};
    if (by_original && !(filter.src_port && filter.dst_port))
        return is_gre ? "you have to specify `--srckey' and `--dstkey'"
                      : "you have to specify `--sport' and `--dport'";
    if (!by_original && !(filter.reply_src_port && filter.reply_dst_port))
        return is_gre ? "you have to specify `--reply-src-key' and `--reply-dst-key'"
                      : "you have to specify `--reply-src-port' and `--reply-dst-port'";
    return {};
}

}  // namespace

std::string check_conntrack_options(char command, const ConntrackGiven& given,
                                    ConntrackOptions& options) {
    FlowFilter& filter = options.filter;
    if (command == 'G') {
        if (std::string problem = check_get(given, filter); !problem.empty()) return problem;
    }
    const uint32_t illegal = given.options & ~opt::allowed_options(command);
    if (illegal != 0)
        return fmt::format("Illegal option `--{}' with this command",
                           opt::name_of(static_cast<opt::Option>(__builtin_ctz(illegal))));
    if (given.mask_src && !filter.src) return "Can't use --mask-src without --src";
    if (given.mask_dst && !filter.dst) return "Can't use --mask-dst without --dst";
    if (given.mask_src) filter.src->mask = *given.mask_src;
    if (given.mask_dst) filter.dst->mask = *given.mask_dst;
    if (given.has(opt::AnyNat) && (given.has(opt::SrcNat) || given.has(opt::DstNat)))
        return "cannot specify `--src-nat' or `--dst-nat' with `--any-nat'";
    options.has_filter = (given.options & ~kNoFilter) != 0;
    if (options.zero && (given.options & ~kGoWithZero) != 0)
        return "Can't use -z with filtering parameters";
    return {};
}

}  // namespace rampart
