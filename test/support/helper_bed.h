// HelperBed: one connection with a helper, and everything that a helper asks for.
//
// A test says what client and server send and looks at the verdict, the payload as it leaves, and
// the expectations. The bed is the worker: expectation table, keys of GRE, edits. Deterministic;
// time stands still until `clock` is moved.
#pragma once

#include <array>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "conntrack/gre_key_map.h"
#include "conntrack/helpers/helper.h"
#include "conntrack/helpers/payload_edits.h"
#include "packet/packet.h"

namespace rampart::test {

struct Sent {
    HelperVerdict verdict;
    std::string payload;    // as it leaves
    uint32_t sequence = 0;  // of its first byte, as the sender numbers it

    bool passed() const { return !verdict.is_drop() && !verdict.detach; }
};

class HelperBed : public HelperHost {
  public:
    static constexpr FlowIndex kMaster = 7;

    HelperBed(uint8_t helper, const char* client, uint16_t client_port, const char* server,
              uint16_t server_port, uint8_t protocol = ip_protocol::kTcp)
        : helper_(*helper_of(helper)) {
        const IpAddress from = *IpAddress::parse(client), to = *IpAddress::parse(server);
        original.family = from.family;
        original.protocol = protocol;
        original.src = from.bytes;
        original.dst = to.bytes;
        original.src_port = be16::from_host(client_port);
        original.dst_port = be16::from_host(server_port);
        reply = invert(original);
    }

    // SNAT: what the server sees. DNAT: the server behind.
    void translate_source(const char* address, uint16_t port) {
        reply.dst = IpAddress::parse(address)->bytes;
        reply.dst_port = be16::from_host(port);
        is_translated = true;
    }
    void translate_destination(const char* address, uint16_t port) {
        reply.src = IpAddress::parse(address)->bytes;
        reply.src_port = be16::from_host(port);
        is_translated = true;
    }

    Sent client(std::string_view text) { return send(Direction::Original, text); }
    Sent server(std::string_view text) { return send(Direction::Reply, text); }
    Sent send(Direction direction, std::string_view text) {
        uint32_t& next = sequence[static_cast<unsigned>(direction)];
        const Sent sent = send_at(direction, next, text);
        next += static_cast<uint32_t>(text.size());
        return sent;
    }
    // A retransmission, or anything else that is out of order.
    Sent send_at(Direction direction, uint32_t at, std::string_view text) {
        // Of exactly its size, so that the address sanitizer sees every byte read too much.
        const std::vector<uint8_t> bytes(text.begin(), text.end());
        Sent sent;
        sent.sequence = at;
        sent.payload = text;
        edits_.clear();
        if (is_detached || text.empty()) return sent;
        payload_ = bytes;
        HelperInput input{bytes,         original, reply, direction, is_established,
                          is_translated, false,    at,    state};
        sent.verdict = helper_.inspect(input, *this);
        is_detached = sent.verdict.detach;
        if (!sent.verdict.is_drop()) sent.payload = edited(text);
        return sent;
    }

    std::vector<Expectation> expectations() const {
        std::vector<Expectation> all;
        Expectation one;
        for (uint32_t slot = 0; slot < table.capacity(); ++slot)
            if (table.read(slot, one) && !is_past(one.deadline, clock)) all.push_back(one);
        return all;
    }
    static Tuple tuple(const char* from, uint16_t from_port, const char* to, uint16_t to_port,
                       uint8_t protocol = ip_protocol::kTcp) {
        Tuple made;
        made.src = IpAddress::parse(from)->bytes;
        made.dst = IpAddress::parse(to)->bytes;
        made.family = IpAddress::parse(from)->family;
        made.src_port = be16::from_host(from_port);
        made.dst_port = be16::from_host(to_port);
        made.protocol = protocol;
        return made;
    }
    bool is_expected(const Tuple& packet) const {
        Expectation found;
        return table.find(packet, clock, found) != ExpectationTable::kNone;
    }
    // The first packet of a child comes.
    bool take(const Tuple& packet, Expectation& found) { return table.take(packet, clock, found); }
    // Another worker's connection has this port of this address.
    void occupy(const char* address, uint16_t port, uint8_t protocol = ip_protocol::kTcp) {
        Expectation other;
        other.tuple = tuple(address, 0, address, port, protocol);
        other.flags = expectation_flag::kAnySource | expectation_flag::kAnySourcePort;
        other.master = kMaster + 1;
        other.deadline = clock + ticks_of_seconds(100000);
        table.add({&other, 1}, 0, clock);
    }

    // HelperHost
    Tick now() const noexcept override { return clock; }
    uint32_t random() noexcept override { return random_ = random_ * 1664525 + 1013904223; }
    ExpectOutcome expect(std::span<Expectation> wanted, bool shares) noexcept override {
        for (Expectation& one : wanted) {
            one.master = kMaster;
            one.master_original = original;
            one.helper = helper_.number;
        }
        return table.add(wanted, helper_.classes[wanted[0].flow_class].limit, clock, shares);
    }
    void forget_expectations(uint32_t classes) noexcept override {
        table.remove_of_master(kMaster, classes);
    }
    bool activate(uint8_t flow_class, const Tuple& to, Tick deadline) noexcept override {
        return table.activate(kMaster, flow_class, to, deadline);
    }
    bool replace(uint32_t offset, uint32_t length, std::string_view text) noexcept override {
        return edits_.replace(payload_, offset, length, text);
    }
    void set_timeout(Tick timeout) noexcept override { flow_timeout = timeout; }
    bool map_gre_key(const Tuple& tuple) noexcept override { return keys.add(tuple, kMaster); }
    void forget_gre_keys() noexcept override { keys.remove_of_master(kMaster); }
    void end_flow(const Tuple& tuple) noexcept override { ended.push_back(tuple); }

    Tuple original, reply;
    bool is_translated = false;
    bool is_established = true;
    bool is_detached = false;
    Tick clock = 1000;
    Tick flow_timeout = 0;
    uint32_t sequence[2] = {1001, 5001};
    HelperState state{};
    ExpectationTable table{KeyedHash::from_seed(1), 32};
    GreKeyMap keys{KeyedHash::from_seed(2), 16};
    std::vector<Tuple> ended;

  private:
    std::string edited(std::string_view text) const {
        std::string result;
        size_t at = 0;
        for (const PayloadEdit& edit : edits_.edits()) {
            result.append(text.substr(at, edit.offset - at)).append(edits_.text_of(edit));
            at = size_t{edit.offset} + edit.length;
        }
        return result.append(text.substr(at));
    }

    const Helper& helper_;
    PayloadEdits edits_;
    std::vector<uint8_t> payload_;
    uint32_t random_ = 1;
};

}  // namespace rampart::test
