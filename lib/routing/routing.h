// Routing: where packets go and with which link addresses, as the kernel's tables say.
//
// The kernel owns links, addresses, routes and neighbours (design D8); kernel/mirror.h copies them
// here, workers read them without a lock. There are two copies of the tables: control changes the
// one that no worker reads, exchanges them, waits until all workers have gone through their loop
// and then changes the other. A neighbour is one word that changes in place.
//
// Always Local, whatever the kernel says: 224.0.0.0/4, 255.255.255.255 and ff00::/8. What no route
// covers is NoRoute.
//
// Worker: find(), source_address(), neighbour(), find_neighbour(), request(), epoch(), version(),
// and what is asked about an interface. A worker reads epoch() before it asks what it will keep.
// Everything else: the one thread that runs the mirror.
// Sources: RFC 1812 (forwarding), RFC 4861 (neighbours), DPDK's rte_fib and rte_fib6.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "base/interface_index.h"
#include "base/ip_address.h"
#include "base/mac_address.h"
#include "base/result.h"
#include "routing/route_lookup.h"

namespace rampart {

// A neighbour's place in the table: stays the same as long as epoch() does.
using NeighbourSlot = uint32_t;
inline constexpr NeighbourSlot kNoNeighbour = 0xffffffff;

// What a worker needs to know about a neighbour, in one word. None: it is gone; ask again.
class NeighbourWord {
  public:
    enum class State : uint8_t { None, Unresolved, Resolved, Failed };

    constexpr NeighbourWord() noexcept = default;
    constexpr explicit NeighbourWord(uint64_t raw) noexcept : raw_(raw) {}
    NeighbourWord(State state, InterfaceIndex interface, const MacAddress& mac) noexcept;

    uint64_t raw() const noexcept { return raw_; }
    State state() const noexcept { return static_cast<State>(raw_ >> 56); }
    InterfaceIndex interface() const noexcept { return static_cast<InterfaceIndex>(raw_ >> 48); }
    bool is_resolved() const noexcept { return state() == State::Resolved; }
    // Six bytes in the order of transmission.
    void copy_mac(uint8_t* out) const noexcept { __builtin_memcpy(out, &raw_, 6); }

  private:
    uint64_t raw_ = 0;  // state | interface | mac (its first byte lowest)
};

struct NeighbourKey {
    InterfaceIndex interface = kNoInterface;
    Family family = Family::None;
    AddressBytes address{};

    bool operator==(const NeighbourKey&) const noexcept = default;
};

// One of an interface's addresses, in the order of the kernel's list.
struct InterfaceAddress {
    IpAddress address;
    unsigned prefix_length = 0;
    bool is_link_scope = false;  // fe80::/10, or `scope link`
    bool operator==(const InterfaceAddress&) const = default;
};

class Routing final : public RouteLookup {
  public:
    static constexpr uint32_t kMaxNeighbours = 65536;
    static constexpr uint32_t kMaxRequests = 1024;  // that wait for the kernel

    struct Options {
        uint32_t max_routes4 = 65536;
        uint32_t max_routes6 = 16384;
        // Different sets of hops that routes may have; more than 32767 double the memory for IPv4.
        uint32_t max_groups = 32767;
        // Trees in place of arrays: slower, for tests and small machines.
        bool compact = false;
        int numa_node = -1;
    };
    // Needs EAL.
    static Result<std::unique_ptr<Routing>> create(const Options& options);
    // What create() takes from DPDK's heap.
    static uint64_t bytes_for(const Options& options) noexcept;
    ~Routing() override;
    Routing(const Routing&) = delete;
    Routing& operator=(const Routing&) = delete;

    // --- workers ---

    // `flow_hash` chooses among the hops of a route that has several; the same hash gets the same
    // hop. A hop whose link is down is not chosen while another one is up.
    Route find(Family family, const AddressBytes& destination,
               uint32_t flow_hash) const noexcept override;
    // The address with which the box speaks on this interface to `peer`: the one whose network
    // holds it, else of those of universal scope the first (IPv4) or the one that has most leading
    // bits in common (IPv6), else one of another interface. False: there is none.
    bool source_address(InterfaceIndex interface, Family family, const AddressBytes& peer,
                        AddressBytes& source) const noexcept;
    // The interface's own link address, and whether a frame to `mac` is for the box (its own
    // address, one that a macvlan on the twin has, group addresses).
    void copy_own_mac(InterfaceIndex interface, uint8_t* out) const noexcept;
    bool is_own_mac(InterfaceIndex interface, const uint8_t* mac) const noexcept;
    bool is_link_up(InterfaceIndex interface) const noexcept;
    uint16_t mtu(InterfaceIndex interface) const noexcept;

    // kNoNeighbour is no answer to keep: a new neighbour changes version(), not epoch().
    NeighbourSlot find_neighbour(const NeighbourKey& key) const noexcept;
    // Also notes that the neighbour is in use.
    NeighbourWord neighbour(NeighbourSlot slot) const noexcept;
    // Asks the kernel to resolve it. What is asked too often at a time is forgotten: whoever waits
    // asks again.
    void request(const NeighbourKey& key) noexcept;

    // Changes when an answer of find(), source_address() or find_neighbour() may have changed;
    // what was learned under another epoch must be asked again.
    uint32_t epoch() const noexcept { return epoch_.load(std::memory_order_acquire); }
    // Changes when a neighbour was resolved, or failed, or is new.
    uint32_t version() const noexcept { return version_.load(std::memory_order_acquire); }

    // --- the mirror's thread ---

    struct Hop {
        InterfaceIndex interface = kNoInterface;
        Family family = Family::None;  // None: on link
        AddressBytes gateway{};
        unsigned weight = 1;
        auto operator<=>(const Hop&) const = default;
    };
    struct RouteEntry {
        IpPrefix prefix;
        RouteKind kind = RouteKind::NoRoute;  // OnLink stands for hops of any kind
        uint32_t metric = 0;                  // of several for one prefix, the least counts
        std::vector<Hop> hops;
        bool is_broadcast = false;  // of Local: RTN_BROADCAST
        bool operator==(const RouteEntry& other) const;
    };

    // Changes are collected and take effect together with apply().
    void add(const RouteEntry& route);
    void remove(const RouteEntry& route);  // prefix and metric count
    // kNoInterface: what the box has elsewhere, such as on `lo`.
    void set_addresses(InterfaceIndex interface, std::vector<InterfaceAddress> addresses);
    void set_link(InterfaceIndex interface, bool is_up, uint16_t mtu,
                  const std::vector<MacAddress>& macs);  // the first one is its own
    void clear_routes();
    // `wait` returns when every worker has ended the loop that it was in.
    void apply(const std::function<void()>& wait);

    void set_neighbour(const NeighbourKey& key, NeighbourWord::State state, const MacAddress& mac);
    void remove_neighbour(const NeighbourKey& key);
    // What workers asked for since the last call.
    std::vector<NeighbourKey> take_requests();
    // Neighbours that packets used since the last call.
    std::vector<NeighbourKey> take_used();

    // For listings and gauges; on the mirror's thread as well.
    std::vector<RouteEntry> routes() const;
    struct NeighbourEntry {
        NeighbourKey key;
        NeighbourWord word;
    };
    std::vector<NeighbourEntry> neighbours() const;
    std::vector<InterfaceAddress> addresses(InterfaceIndex interface) const;
    // What found no room in the tables. Such routes are tried again when others have gone.
    size_t routes_left_out() const noexcept;
    size_t neighbours_left_out() const noexcept;

  private:
    Routing();
    struct State;

    std::unique_ptr<State> state_;
    std::atomic<uint32_t> epoch_{1};
    std::atomic<uint32_t> version_{1};
};

}  // namespace rampart
