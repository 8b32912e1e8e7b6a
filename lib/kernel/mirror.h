// Mirror: follows the kernel's links, addresses, routes and neighbours and tells Routing of them.
//
// Begins with a dump of everything and then listens. Neighbours are passed on at once; the rest is
// collected and applied together, every 20 ms at most, so that thousands of routes that come at
// once cost a few changes. Where the kernel says too little, or has said more than could be heard,
// the objects in question are dumped again: addresses after each change (their order counts), the
// IPv4 routes after a change of links or addresses (the kernel drops routes without a word).
// Asks the kernel for the neighbours that workers miss, and keeps those in use from growing stale.
//
// Only the twins, the VLANs on them and macvlans on those count; other interfaces of this network
// namespace lead nowhere (kernel_routes.h). One thread, from the second call on.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "kernel/kernel_objects.h"
#include "kernel/kernel_routes.h"
#include "kernel/netlink_socket.h"
#include "routing/routing.h"

namespace rampart {

class Mirror {
  public:
    static constexpr uint64_t kApplyPeriod_ns = 20'000'000;
    static constexpr uint64_t kRenewPeriod_ns = 1'000'000'000;

    // `links`: by InterfaceIndex, the kernel's link that stands for the interface; 0: none.
    static Result<std::unique_ptr<Mirror>> create(Routing& routing,
                                                  const std::vector<KernelIndex>& links);

    // Readable when the kernel has told something.
    int fd() const noexcept { return listener_->fd(); }
    // Hears what waits. True: there was something.
    bool listen();
    // What is due at this time. `wait` as for Routing::apply().
    void work(uint64_t now_ns, const std::function<void()>& wait);

    struct Counters {
        uint64_t applied = 0;         // changes of the tables
        uint64_t resynchronised = 0;  // because messages were lost
        uint64_t neighbour_requests = 0;
        uint64_t ignored_routes = 0;  // of other tables or for one TOS
    };
    Counters counters() const noexcept;
    // What the operator should know, once each.
    std::vector<std::string> take_notes();

  private:
    Mirror(Routing& routing, const std::vector<KernelIndex>& links)
        : routing_(routing), own_links_(links) {}

    void hear(const nlmsghdr* message);
    void hear_link(const nlmsghdr* message);
    void hear_route(const nlmsghdr* message);
    void hear_neighbour(const nlmsghdr* message);
    void dump_everything();
    void dump_links();
    void dump_addresses();
    void dump_routes(Family family);
    void dump_next_hops();
    void dump_neighbours();
    void check_rules();
    void update();  // what is marked as to be dumped, dumps
    void pass_on_links();
    void pass_on_neighbour(const KernelNeighbour& neighbour);
    void ask_for_neighbours();
    void renew_neighbours();
    bool resolve(const NeighbourKey& key);
    // An own link, or a macvlan on one.
    InterfaceIndex interface_of(KernelIndex link) const;
    void note(std::string text);

    Routing& routing_;
    std::vector<KernelIndex> own_links_;  // by InterfaceIndex
    std::unique_ptr<NetlinkSocket> listener_, asker_;
    std::map<KernelIndex, KernelLink> links_;  // all of this namespace
    std::vector<KernelAddress> addresses_;
    KernelRoutes routes_;
    struct NeighbourOrder {
        bool operator()(const NeighbourKey& a, const NeighbourKey& b) const noexcept;
    };
    std::map<NeighbourKey, uint16_t, NeighbourOrder> neighbours_;  // NUD_...
    std::vector<NeighbourKey> refused_;  // that the kernel would not ask for
    // To be done.
    bool must_dump_everything_ = false;
    bool must_dump_links_ = false, must_dump_addresses_ = false;
    bool must_dump_routes4_ = false, must_dump_routes6_ = false, must_dump_next_hops_ = false;
    bool must_pass_on_links_ = false;
    uint64_t next_apply_ns_ = 0, next_renewal_ns_ = 0;
    Counters counters_;
    std::set<std::string> noted_;
    std::vector<std::string> notes_;
};

}  // namespace rampart
