#include "control/own_connection.h"

#include <sstream>

#include <fmt/format.h>

#include "base/scalar.h"
#include "control/config_transaction.h"
#include "rules/flow_judgement.h"

namespace rampart {
namespace {

constexpr std::string_view kCode = "W107";

// A packet of the flow, as far as anybody knows: rules that look closer are in doubt anyway.
Packet packet_of(const Tuple& tuple) {
    Packet packet;
    packet.protocol = tuple.protocol;
    packet.family = tuple.family;
    packet.hop_limit = 64;
    packet.tcp_flags = tcp_flag::kAck;
    packet.is_icmp_error = packet.is_untracked_icmpv6 = false;
    return packet;
}

FlowJudgement judge(const Ruleset& ruleset, const FlowEntry& flow, CtClass ct_class,
                    Direction direction) {
    const bool is_original = direction == Direction::Original;
    const Tuple& tuple = is_original ? flow.original : flow.reply;
    const Interface& port = ruleset.names.interfaces[flow.in];
    const InterfaceIndex peer = port.bridge_peer;
    // Whoever asks is logged in to the box: through a routed port the connection ends here.
    const int local = is_original ? ruleset.input : ruleset.output;
    const int chain = port.is_routed ? local : ruleset.forward;
    if (chain == Ruleset::kNoChain) return {};
    Packet packet = packet_of(tuple);
    return judge_flow(ruleset, chain,
                      {.packet = packet,
                       .tuple = tuple,
                       .ct_class = ct_class,
                       .direction = direction,
                       .in = is_original ? flow.in : peer,
                       .out = is_original ? peer : flow.in,
                       .status = flow.status});
}

std::string decider(const Ruleset& ruleset, RuleIndex index) {
    for (const Chain& chain : ruleset.chains) {
        for (const Rule& rule : chain.rules)
            if (rule.rule_index == index) return fmt::format("rule {} ({})", rule.id, rule.place);
        if (chain.policy != Policy::None && chain.policy_index == index)
            return fmt::format("the policy of {}", chain.name);
    }
    return "the rules";
}

std::string endpoints(const Tuple& tuple) {
    return fmt::format("{} port {} to {} port {}", tuple.src_address().to_string(),
                       tuple.src_port.host(), tuple.dst_address().to_string(),
                       tuple.dst_port.host());
}

bool joins_same_hosts(const Tuple& a, const Tuple& b) {
    return a.family == b.family &&
           ((a.src == b.src && a.dst == b.dst) || (a.src == b.dst && a.dst == b.src));
}

// The connection itself, else another TCP connection between the same hosts.
std::optional<FlowEntry> find_connection(const Tuple& wanted, const std::vector<Worker*>& workers,
                                         Tick now) {
    std::optional<FlowEntry> found;
    FlowCursor cursor(workers);
    FlowEntry flow;
    for (uint32_t slots = UINT32_MAX; cursor.next(now, slots, flow);) {
        if (flow.original.protocol != wanted.protocol || !joins_same_hosts(flow.original, wanted))
            continue;
        if (flow.original == wanted || flow.reply == wanted) return flow;
        found = flow;
    }
    return found;
}

}  // namespace

std::optional<Tuple> parse_ssh_connection(std::string_view text) {
    std::istringstream words{std::string(text)};
    std::string client, client_port, server, server_port;
    words >> client >> client_port >> server >> server_port;
    const auto src = IpAddress::parse(client), dst = IpAddress::parse(server);
    const auto from = parse_decimal(client_port, UINT16_MAX),
               to = parse_decimal(server_port, UINT16_MAX);
    if (!src || !dst || !from || !to || src->family != dst->family) return std::nullopt;
    Tuple tuple;
    tuple.src = src->bytes;
    tuple.dst = dst->bytes;
    tuple.src_port = be16::from_host(static_cast<uint16_t>(*from));
    tuple.dst_port = be16::from_host(static_cast<uint16_t>(*to));
    tuple.protocol = ip_protocol::kTcp;
    tuple.family = src->family;
    return tuple;
}

std::string describe_danger(const Ruleset& ruleset, bool is_rechecked, const FlowEntry& flow) {
    if (flow.in >= ruleset.names.interfaces.size()) return {};
    const Interface& port = ruleset.names.interfaces[flow.in];
    if (!port.is_routed && port.bridge_peer == kNoInterface) return {};
    for (const Direction direction : {Direction::Original, Direction::Reply}) {
        const FlowJudgement judgement = judge(ruleset, flow, CtClass::Established, direction);
        if (judgement.is_refused)
            return fmt::format("{} would cut it", decider(ruleset, judgement.rule));
    }
    const FlowJudgement anew = judge(ruleset, flow, CtClass::New, Direction::Original);
    if (!anew.is_refused) return {};
    const std::string who = decider(ruleset, anew.rule);
    return is_rechecked ? fmt::format("{} would cut it (reload.established: recheck)", who)
                        : fmt::format("{} would not let it begin again", who);
}

void warn_about_own_connection(const Snapshot& wanted, const ChangeRequest& request,
                               const std::vector<Worker*>& workers, Tick now,
                               Diagnostics& diagnostics) {
    const auto own = parse_ssh_connection(request.ssh_connection);
    if (!own) return;
    const auto flow = find_connection(*own, workers, now);
    if (!flow) return;
    const std::string danger = describe_danger(wanted.ruleset, wanted.reload.recheck, *flow);
    if (danger.empty()) return;
    const bool has_way_back = request.confirm_s.value_or(0) != 0;
    diagnostics.warning(
        kCode, {},
        fmt::format("this concerns the connection you are using ({}): {}",
                    endpoints(flow->original), danger),
        has_way_back ? "" : "apply --confirm 120s goes back by itself if you are locked out");
}

}  // namespace rampart
