#include "control/top_look.h"

#include <algorithm>

#include "control/conntrack_names.h"
#include "control/controller.h"
#include "control/talkers.h"

namespace rampart {
namespace {

constexpr double kBitsPerByte = 8;

struct BusyRule {
    const Chain* chain;
    const Rule* rule;  // null: the policy
    double packets_s;
    double bits_s;
};

Json flow_json(const BusyFlow& flow) {
    const Tuple& tuple = flow.original;
    Json json{{"proto", conntrack_protocol_name(tuple.protocol)},
              {"src", tuple.src_address().to_string()},
              {"dst", tuple.dst_address().to_string()}};
    if (prints_ports(tuple.protocol)) {
        json["sport"] = tuple.src_port.host();
        json["dport"] = tuple.dst_port.host();
    }
    return json;
}

}  // namespace

TopLook::TopLook(Controller& controller, size_t count) : controller_(controller), count_(count) {}

void TopLook::look() {
    before_ = std::move(now_);
    now_ = {};
    now_.at = std::chrono::steady_clock::now();
    for (const Worker* worker : controller_.datapath().workers())
        now_.workers.push_back(totals_of(worker->counters()));
    now_.all = totals_of(controller_.datapath().workers());
    now_.rules = controller_.publisher().counts();
    now_.lineage = controller_.publisher().current().lineage;
}

double TopLook::seconds() const noexcept {
    return std::chrono::duration<double>(now_.at - before_.at).count();
}

// Counters that were reset have none.
double TopLook::per_second(uint64_t now, uint64_t before) const noexcept {
    return now < before ? 0 : static_cast<double>(now - before) / seconds();
}

Json TopLook::ports() const {
    Json list = Json::array();
    for (size_t i = 0; i < controller_.system().devices.size(); ++i) {
        const PortTotals& now = now_.all.port[i];
        const PortTotals& before = before_.all.port[i];
        list.push_back(
            {{"name", controller_.system().devices[i].name},
             {"received_packets_s", per_second(now.received_packets, before.received_packets)},
             {"received_bits_s",
              kBitsPerByte * per_second(now.received_bytes, before.received_bytes)},
             {"transmitted_packets_s",
              per_second(now.transmitted_packets, before.transmitted_packets)},
             {"transmitted_bits_s",
              kBitsPerByte * per_second(now.transmitted_bytes, before.transmitted_bytes)}});
    }
    return list;
}

Json TopLook::workers() const {
    Json list = Json::array();
    for (size_t i = 0; i < now_.workers.size(); ++i) {
        const Totals& now = now_.workers[i];
        const Totals& before = before_.workers[i];
        const double busy = per_second(now.busy_cycles, before.busy_cycles);
        const double idle = per_second(now.idle_cycles, before.idle_cycles);
        list.push_back({{"worker", i},
                        {"cpu", controller_.datapath().worker_cpus()[i]},
                        {"busy_ratio", busy + idle == 0 ? 0 : busy / (busy + idle)},
                        {"received_packets_s", per_second(now.received, before.received)},
                        {"flows", controller_.datapath().workers()[i]->flows().count()}});
    }
    return list;
}

// Those that there are, the most frequent first.
Json TopLook::drops() const {
    std::vector<std::pair<double, size_t>> reasons;
    for (size_t i = 0; i < kDropReasonCount; ++i)
        if (const double rate = per_second(now_.all.drops[i], before_.all.drops[i]); rate != 0)
            reasons.emplace_back(rate, i);
    std::sort(reasons.rbegin(), reasons.rend());
    Json list = Json::array();
    for (const auto& [rate, reason] : reasons)
        list.push_back({{"reason", kDropReasons[reason].name}, {"packets_s", rate}});
    return list;
}

Json TopLook::rules() const {
    Json list = Json::array();
    if (now_.lineage != before_.lineage) return list;
    std::vector<BusyRule> busy;
    const auto add = [&](const Chain& chain, const Rule* rule, RuleIndex index) {
        if (index >= now_.rules.size() || index >= before_.rules.size()) return;
        const double packets = per_second(now_.rules[index].packets, before_.rules[index].packets);
        if (packets == 0) return;
        busy.push_back(
            {&chain, rule, packets,
             kBitsPerByte * per_second(now_.rules[index].bytes, before_.rules[index].bytes)});
    };
    for (const Chain& chain : controller_.publisher().current().ruleset.chains) {
        for (const Rule& rule : chain.rules)
            add(chain, &rule, rule.rule_index);
        if (chain.policy != Policy::None) add(chain, nullptr, chain.policy_index);
    }
    const size_t shown = std::min(count_, busy.size());
    std::partial_sort(busy.begin(), busy.begin() + static_cast<std::ptrdiff_t>(shown), busy.end(),
                      [](const BusyRule& left, const BusyRule& right) {
                          return left.packets_s > right.packets_s;
                      });
    for (size_t i = 0; i < shown; ++i)
        list.push_back({{"chain", busy[i].chain->name},
                        {"rule", busy[i].rule != nullptr ? busy[i].rule->id : "policy"},
                        {"packets_s", busy[i].packets_s},
                        {"bits_s", busy[i].bits_s}});
    return list;
}

Json TopLook::talkers_json(const Talkers& talkers) const {
    const auto rates = [this](const Traffic& traffic) -> Json {
        return {{"packets_s", per_second(traffic.packets, 0)},
                {"bits_s", kBitsPerByte * per_second(traffic.bytes, 0)}};
    };
    Json flows = Json::array(), sources = Json::array();
    for (const BusyFlow& flow : talkers.flows()) {
        Json json = flow_json(flow);
        json.update(rates(flow.traffic));
        flows.push_back(std::move(json));
    }
    for (const BusySource& source : talkers.sources()) {
        Json json{{"address", source.address.to_string()}, {"flows", source.flows}};
        json.update(rates(source.traffic));
        sources.push_back(std::move(json));
    }
    return {{"flows", std::move(flows)}, {"sources", std::move(sources)}};
}

Json TopLook::document(const Talkers* talkers) const {
    const Totals &now = now_.all, &before = before_.all;
    Json json{{"time_ns", controller_.now().wall_ns},
              {"seconds", seconds()},
              {"generation", controller_.publisher().current().generation},
              {"flows", controller_.datapath().flow_count()},
              {"flows_max", controller_.publisher().current().conntrack.max},
              {"received_packets_s", per_second(now.received, before.received)},
              {"forwarded_packets_s", per_second(now.forwarded, before.forwarded)},
              {"dropped_packets_s", per_second(now.dropped(), before.dropped())},
              {"flows_new_s", per_second(now.inserted, before.inserted)},
              {"ports", ports()},
              {"workers", workers()},
              {"drops", drops()},
              {"rules", rules()}};
    // Null: conntrack.accounting is off, so nobody knows.
    json["talkers"] = talkers != nullptr ? talkers_json(*talkers) : Json();
    return json;
}

}  // namespace rampart
