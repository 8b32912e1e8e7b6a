#include "control/flow_filter.h"

#include <algorithm>
#include <iterator>
#include <string_view>

#include "base/scalar.h"
#include "conntrack/tracker.h"
#include "control/conntrack_format.h"
#include "packet/packet.h"
#include "rules/protocols.h"

namespace rampart {
namespace {

struct StatusWord {
    std::string_view name;
    uint16_t set;
    uint16_t clear;
};
constexpr StatusWord kStatusWords[] = {
    {"ASSURED", flow_status::kAssured, 0},
    {"SEEN_REPLY", flow_status::kSeenReply, 0},
    {"UNREPLIED", 0, flow_status::kSeenReply},
    {"EXPECTED", flow_status::kExpected, 0},
    {"FIXED_TIMEOUT", flow_status::kFixedTimeout, 0},
    {"SRC_NAT", flow_status::kSrcNat, 0},
    {"DST_NAT", flow_status::kDstNat, 0},
    {"UNSET", 0, 0},
};

tl::unexpected<Error> bad(std::string_view what, const std::string& word) {
    return failure(std::string(what) + " '" + word + "' is not valid");
}

// Reads one option into the filter; collects the first mistake.
class Reader {
  public:
    explicit Reader(FlowFilter& filter) : filter_(filter) {}

    template <typename T>
    void number(const std::string& word, std::string_view what, uint64_t max,
                std::optional<T>& into) {
        if (!begin(word)) return;
        if (const auto value = parse_decimal(word, max))
            into = static_cast<T>(*value);
        else
            fail(what, word);
    }

    void range(const std::string& word, std::string_view what, std::optional<IpRange>& into) {
        if (!begin(word)) return;
        if (const auto prefix = IpPrefix::parse(word))
            into = prefix->range();
        else
            fail(what, word);
    }

    // Marks the filter as given; false when the option is absent.
    bool begin(const std::string& word) {
        if (word.empty()) return false;
        filter_.is_empty = false;
        return true;
    }

    void fail(std::string_view what, const std::string& word) {
        if (problem_.empty()) problem_ = bad(what, word).value().message;
    }
    const std::string& problem() const noexcept { return problem_; }

  private:
    FlowFilter& filter_;
    std::string problem_;
};

void read_status(const std::string& words, FlowFilter& filter, Reader& reader) {
    if (!reader.begin(words)) return;
    for (size_t at = 0; at <= words.size();) {
        const size_t end = std::min(words.find(',', at), words.size());
        std::string_view word = std::string_view(words).substr(at, end - at);
        const bool is_negated = word.starts_with('!');
        if (is_negated) word.remove_prefix(1);
        const auto known = std::find_if(std::begin(kStatusWords), std::end(kStatusWords),
                                        [&](const StatusWord& s) { return s.name == word; });
        if (known == std::end(kStatusWords)) return reader.fail("status", std::string(word));
        filter.status_set |= is_negated ? known->clear : known->set;
        filter.status_clear |= is_negated ? known->set : known->clear;
        at = end + 1;
    }
}

void read_state(const FilterWords& words, FlowFilter& filter, Reader& reader) {
    if (!reader.begin(words.state)) return;
    const auto states = tracker_of(filter.protocol.value_or(ip_protocol::kTcp)).states;
    if (std::find(states.begin(), states.end(), words.state) == states.end())
        return reader.fail("state", words.state);
    filter.state = words.state;
}

void read_mark(const std::string& word, FlowFilter& filter, Reader& reader) {
    if (!reader.begin(word)) return;
    const size_t slash = word.find('/');
    const auto value = parse_hex_or_decimal(std::string_view(word).substr(0, slash));
    if (!value) return reader.fail("mark", word);
    filter.mark = *value;
}

// Ports mean nothing without a protocol that has some; conntrack-tools refuses them, too.
bool needs_ports(const FilterWords& words) {
    return !words.sport.empty() || !words.dport.empty() || !words.reply_sport.empty() ||
           !words.reply_dport.empty();
}

template <typename T, typename U>
bool differs(const std::optional<T>& wanted, const U& value) {
    return wanted && *wanted != value;
}

bool outside(const std::optional<IpRange>& range, const IpAddress& address) {
    return range && !range->contains(address);
}

bool has_ports_differing(const FlowFilter& filter, const FlowEntry& entry) {
    return differs(filter.sport, entry.original.src_port.host()) ||
           differs(filter.dport, entry.original.dst_port.host()) ||
           differs(filter.reply_sport, entry.reply.src_port.host()) ||
           differs(filter.reply_dport, entry.reply.dst_port.host()) ||
           differs(filter.icmp_type, entry.original.icmp_type()) ||
           differs(filter.icmp_code, entry.original.icmp_code()) ||
           differs(filter.icmp_id, entry.original.src_port.host());
}

}  // namespace

bool FlowFilter::matches(const FlowEntry& entry) const {
    const Tuple& original = entry.original;
    if (differs(family, original.family) || differs(protocol, original.protocol)) return false;
    if (outside(src, original.src_address()) || outside(dst, original.dst_address()) ||
        outside(reply_src, entry.reply.src_address()) ||
        outside(reply_dst, entry.reply.dst_address()))
        return false;
    if (has_ports_differing(*this, entry)) return false;
    if (state && state_name(entry) != *state) return false;
    return (entry.status & status_set) == status_set && (entry.status & status_clear) == 0 &&
           !differs(mark, 0u) && !differs(zone, original.zone) && !differs(id, entry.id);
}

Result<FlowFilter> make_filter(const FilterWords& words) {
    FlowFilter filter;
    Reader reader(filter);
    if (reader.begin(words.family)) {
        if (words.family == "ipv4")
            filter.family = Family::Ipv4;
        else if (words.family == "ipv6")
            filter.family = Family::Ipv6;
        else
            reader.fail("family", words.family);
    }
    if (reader.begin(words.protocol)) {
        filter.protocol = parse_protocol(words.protocol);
        if (!filter.protocol) reader.fail("protocol", words.protocol);
    }
    reader.range(words.src, "source address", filter.src);
    reader.range(words.dst, "destination address", filter.dst);
    reader.range(words.reply_src, "reply source address", filter.reply_src);
    reader.range(words.reply_dst, "reply destination address", filter.reply_dst);
    reader.number(words.sport, "port", 65535, filter.sport);
    reader.number(words.dport, "port", 65535, filter.dport);
    reader.number(words.reply_sport, "port", 65535, filter.reply_sport);
    reader.number(words.reply_dport, "port", 65535, filter.reply_dport);
    reader.number(words.icmp_type, "ICMP type", 255, filter.icmp_type);
    reader.number(words.icmp_code, "ICMP code", 255, filter.icmp_code);
    reader.number(words.icmp_id, "ICMP id", 65535, filter.icmp_id);
    reader.number(words.zone, "zone", 65535, filter.zone);
    reader.number(words.id, "id", UINT32_MAX, filter.id);
    read_mark(words.mark, filter, reader);
    read_status(words.status, filter, reader);
    read_state(words, filter, reader);
    if (!reader.problem().empty()) return failure(reader.problem());
    if (needs_ports(words) && !(filter.protocol && has_ports(*filter.protocol)))
        return failure("ports need a protocol that has some: -p tcp, udp, sctp or udplite");
    return filter;
}

}  // namespace rampart
