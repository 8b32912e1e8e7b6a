#include "control/event_feed.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include "control/conntrack_names.h"
#include "control/slice_timer.h"
#include "dataplane/worker.h"

namespace rampart {
namespace {

constexpr uint64_t kTurn_us = 10'000;
constexpr uint32_t kRecordsAtOnce = 64;

FlowEvent event_of(const Worker& worker, const JournalRecord& record) {
    FlowEvent event;
    event.kind = record.kind;
    event.time_ns = record.wall_ns;
    event.state_changed = record.state_changed || record.kind != JournalKind::Update;
    FlowEntry& flow = event.flow;
    flow.original = record.tuple;
    flow.reply = record.reply;
    flow.status = record.status;
    flow.state = record.state;
    flow.timeout_s = record.timeout / kTicksPerSecond;
    std::copy_n(record.packets, 2, flow.packets);
    std::copy_n(record.bytes, 2, flow.bytes);
    flow.mark = record.mark;
    flow.id = flow_id(worker.index(), record.index, record.serial);
    flow.start_ns = record.start_ns;
    flow.stop_ns = record.kind == JournalKind::Destroy ? record.wall_ns : 0;
    flow.worker = worker.index();
    flow.index = record.index;
    flow.serial = record.serial;
    return event;
}

std::string endpoint(const IpAddress& address, be16 port, bool has_port) {
    if (!has_port) return address.to_string();
    const bool is_ipv6 = address.family == Family::Ipv6;
    return fmt::format("{}{}{}:{}", is_ipv6 ? "[" : "", address.to_string(), is_ipv6 ? "]" : "",
                       port.host());
}

}  // namespace

std::string describe_invalid(const JournalRecord& record, const std::string& interface) {
    const Tuple& tuple = record.tuple;
    const bool has_ports = prints_ports(tuple.protocol);
    std::string protocol(conntrack_protocol_name(tuple.protocol));
    if (protocol == "unknown") protocol = fmt::format("proto {}", tuple.protocol);
    std::string text =
        fmt::format("invalid {} in={} {} {} > {}", to_string(record.reason), interface, protocol,
                    endpoint(tuple.src_address(), tuple.src_port, has_ports),
                    endpoint(tuple.dst_address(), tuple.dst_port, has_ports));
    if (is_icmp(tuple.protocol))
        text += fmt::format(" type {} code {}", tuple.icmp_type(), tuple.icmp_code());
    text += fmt::format(" len {}", record.bytes[0]);
    if (record.packets[0] != 0) text += fmt::format(" ({} more before it)", record.packets[0]);
    return text;
}

EventFeed::EventFeed(EventLoop& loop, std::vector<Worker*> workers)
    : loop_(loop), workers_(std::move(workers)), lost_(workers_.size()) {}

void EventFeed::add(EventListener& listener) {
    listeners_.push_back(&listener);
    update();
}

void EventFeed::remove(EventListener& listener) {
    std::erase(listeners_, &listener);
    update();
}

void EventFeed::log_invalid(bool wanted, std::vector<std::string> names) {
    logs_invalid_ = wanted;
    interface_names_ = std::move(names);
    update();
}

// What is left in the journals when the last listener goes is of the past: the next one must not
// hear it.
void EventFeed::update() {
    const bool is_wanted = !listeners_.empty() || logs_invalid_;
    for (Worker* worker : workers_)
        worker->journal().want_flows(!listeners_.empty());
    if (is_wanted == is_running_) return;
    is_running_ = is_wanted;
    if (!is_wanted) {
        timer_ = {};
        return;
    }
    for (size_t i = 0; i < workers_.size(); ++i) {
        JournalRecord record;
        while (workers_[i]->journal().read(&record, 1) != 0) {
        }
        lost_[i] = workers_[i]->journal().lost();
    }
    timer_ = loop_.every(kTurn_us, [this] { turn(); });
}

// The workers in turns, until their journals are empty or the time of a slice is used up.
void EventFeed::turn() {
    const SliceTimer timer;
    for (bool has_more = true; has_more && !timer.is_over();) {
        has_more = false;
        for (Worker* worker : workers_)
            has_more |= read_from(*worker);
    }
    for (size_t i = 0; i < workers_.size(); ++i) {
        const uint64_t lost = workers_[i]->journal().lost();
        if (lost == lost_[i]) continue;
        for (EventListener* listener : listeners_)
            listener->on_lost(lost - lost_[i]);
        lost_[i] = lost;
    }
}

bool EventFeed::read_from(Worker& worker) {
    std::array<JournalRecord, kRecordsAtOnce> records;
    const uint32_t count = worker.journal().read(records.data(), kRecordsAtOnce);
    for (uint32_t i = 0; i < count; ++i) {
        if (records[i].kind == JournalKind::Invalid)
            log(records[i]);
        else
            tell(worker, records[i]);
    }
    return count == kRecordsAtOnce;
}

void EventFeed::tell(const Worker& worker, const JournalRecord& record) {
    if (listeners_.empty()) return;
    const FlowEvent event = event_of(worker, record);
    for (EventListener* listener : listeners_)
        listener->on_event(event);
}

void EventFeed::log(const JournalRecord& record) const {
    const bool is_known = record.in_port < interface_names_.size();
    spdlog::info("{}", describe_invalid(record, is_known ? interface_names_[record.in_port] : "?"));
}

}  // namespace rampart
