#include "routing/routing.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "base/assert.h"
#include "routing/neighbour_table.h"
#include "routing/route_side.h"

namespace rampart {
namespace {

using GroupId = RouteSide::GroupId;

struct PrefixOrder {
    bool operator()(const IpPrefix& a, const IpPrefix& b) const noexcept {
        return a.address != b.address ? a.address < b.address : a.length < b.length;
    }
};

IpPrefix without_host_bits(const IpPrefix& prefix) {
    return {prefix.range().first, prefix.length};
}

GroupContents contents_of(const Routing::RouteEntry& route) {
    const bool has_hops = route.kind == RouteKind::OnLink || route.kind == RouteKind::Gateway ||
                          route.kind == RouteKind::Local;
    GroupContents contents;
    contents.kind = route.kind == RouteKind::Gateway ? RouteKind::OnLink : route.kind;
    contents.is_broadcast = route.kind == RouteKind::Local && route.is_broadcast;
    if (has_hops) contents.hops = route.hops;
    if (contents.kind == RouteKind::OnLink && contents.hops.empty())
        contents.kind = RouteKind::Unreachable;
    return contents;
}

// The groups in use, shared by all routes that have the same hops.
class GroupRegistry {
  public:
    explicit GroupRegistry(uint32_t max_groups) : max_groups_(max_groups) {
        ids_[GroupContents{}] = {RouteSide::kNoRouteGroup, 1};
    }

    struct Use {
        GroupId id = 0;
        uint32_t routes = 0;
    };
    // Null: there are too many. `is_new`: both sides need it.
    const Use* acquire(const GroupContents& contents, bool& is_new) {
        const auto [entry, was_added] = ids_.try_emplace(contents);
        is_new = was_added;
        if (was_added && free_.empty() && next_ > max_groups_) {
            ids_.erase(entry);
            return nullptr;
        }
        if (was_added && free_.empty()) {
            entry->second.id = next_++;
        } else if (was_added) {
            entry->second.id = free_.back();
            free_.pop_back();
        }
        ++entry->second.routes;
        return &entry->second;
    }
    void release(const GroupContents& contents) {
        const auto entry = ids_.find(contents);
        RAMPART_ASSERT(entry != ids_.end());
        if (--entry->second.routes > 0) return;
        free_.push_back(entry->second.id);
        ids_.erase(entry);
    }
    const std::map<GroupContents, Use>& all() const { return ids_; }

  private:
    uint32_t max_groups_;
    std::map<GroupContents, Use> ids_;
    std::vector<GroupId> free_;
    GroupId next_ = 1;
};

// What one apply() does to both sides, in this order.
struct Update {
    std::vector<InterfaceIndex> interfaces;
    std::vector<std::pair<GroupId, GroupContents>> groups;
    std::vector<std::pair<IpPrefix, GroupId>> set;
    std::vector<IpPrefix> removed;
    std::vector<GroupContents> released;  // when both sides have been changed

    bool is_empty() const { return interfaces.empty() && set.empty() && removed.empty(); }
};

}  // namespace

struct Routing::State {
    explicit State(uint32_t max_groups) : groups(max_groups) {}

    Update collect();
    void collect_route(const IpPrefix& prefix, Update& update);
    void change(RouteSide& side, const Update& update);
    void take_back(const IpPrefix& prefix, Update& update);

    std::unique_ptr<RouteSide> sides[2];
    std::atomic<RouteSide*> active = nullptr;  // mirror: rw, workers: ro
    std::unique_ptr<NeighbourTable> neighbours;

    // What is wanted, and what of it has changed since the last apply().
    std::map<IpPrefix, std::map<uint32_t, RouteEntry>, PrefixOrder> wanted;  // by metric
    std::array<RoutedInterface, kMaxInterfaces + 1> interfaces;
    std::set<IpPrefix, PrefixOrder> changed_prefixes;
    std::set<InterfaceIndex> changed_interfaces;
    // What both sides have.
    std::map<IpPrefix, RouteEntry, PrefixOrder> installed;
    std::array<RoutedInterface, kMaxInterfaces + 1> installed_interfaces;
    std::set<IpPrefix, PrefixOrder> left_out;
    GroupRegistry groups;
};

Routing::Routing() = default;
Routing::~Routing() = default;

Result<std::unique_ptr<Routing>> Routing::create(const Options& options) {
    static std::atomic<unsigned> made{0};
    const std::string name = "routes" + std::to_string(made.fetch_add(1));
    std::unique_ptr<Routing> routing(new Routing);
    routing->state_ = std::make_unique<State>(options.max_groups);
    State& state = *routing->state_;
    const char* suffixes[] = {"a", "b"};
    for (size_t i = 0; i < 2; ++i) {
        auto side = RouteSide::create(options, name + suffixes[i]);
        if (!side) return tl::unexpected(side.error());
        state.sides[i] = std::move(*side);
    }
    state.active = state.sides[0].get();
    auto neighbours = NeighbourTable::create(name);
    if (!neighbours) return tl::unexpected(neighbours.error());
    state.neighbours = std::move(*neighbours);
    routing->clear_routes();
    routing->apply([] {});
    return routing;
}

Route Routing::find(Family family, const AddressBytes& destination,
                    uint32_t flow_hash) const noexcept {
    return state_->active.load(std::memory_order_acquire)->find(family, destination, flow_hash);
}

bool Routing::source_address(InterfaceIndex interface, Family family, const AddressBytes& peer,
                             AddressBytes& source) const noexcept {
    return state_->active.load(std::memory_order_acquire)
        ->source_address(interface, family, peer, source);
}

void Routing::copy_own_mac(InterfaceIndex interface, uint8_t* out) const noexcept {
    const auto& macs = state_->active.load(std::memory_order_acquire)->interface(interface).macs;
    const MacAddress mac = macs.empty() ? MacAddress{} : macs[0];
    std::copy(mac.begin(), mac.end(), out);
}

bool Routing::is_own_mac(InterfaceIndex interface, const uint8_t* mac) const noexcept {
    if (mac[0] & 1) return true;
    const auto& macs = state_->active.load(std::memory_order_acquire)->interface(interface).macs;
    for (const MacAddress& own : macs) {
        if (std::equal(own.begin(), own.end(), mac)) return true;
    }
    return false;
}

bool Routing::is_link_up(InterfaceIndex interface) const noexcept {
    return state_->active.load(std::memory_order_acquire)->interface(interface).is_up;
}

uint16_t Routing::mtu(InterfaceIndex interface) const noexcept {
    return state_->active.load(std::memory_order_acquire)->interface(interface).mtu;
}

NeighbourSlot Routing::find_neighbour(const NeighbourKey& key) const noexcept {
    return state_->neighbours->find(key);
}

NeighbourWord Routing::neighbour(NeighbourSlot slot) const noexcept {
    return state_->neighbours->word(slot);
}

void Routing::request(const NeighbourKey& key) noexcept {
    state_->neighbours->request(key);
}

void Routing::add(const RouteEntry& route) {
    const IpPrefix prefix = without_host_bits(route.prefix);
    RouteEntry& entry = state_->wanted[prefix][route.metric];
    entry = route;
    entry.prefix = prefix;
    state_->changed_prefixes.insert(prefix);
}

void Routing::remove(const RouteEntry& route) {
    const IpPrefix prefix = without_host_bits(route.prefix);
    const auto found = state_->wanted.find(prefix);
    if (found == state_->wanted.end()) return;
    found->second.erase(route.metric);
    if (found->second.empty()) state_->wanted.erase(found);
    state_->changed_prefixes.insert(prefix);
}

void Routing::clear_routes() {
    for (const auto& [prefix, routes] : state_->wanted)
        state_->changed_prefixes.insert(prefix);
    state_->wanted.clear();
    for (const char* text : {"224.0.0.0/4", "255.255.255.255", "ff00::/8"})
        add({.prefix = *IpPrefix::parse(text), .kind = RouteKind::Local, .hops = {}});
}

void Routing::set_addresses(InterfaceIndex interface, std::vector<InterfaceAddress> addresses) {
    const auto index = std::min<InterfaceIndex>(interface, kMaxInterfaces);
    state_->interfaces[index].addresses = std::move(addresses);
    state_->changed_interfaces.insert(index);
}

void Routing::set_link(InterfaceIndex interface, bool is_up, uint16_t mtu,
                       const std::vector<MacAddress>& macs) {
    RAMPART_ASSERT(interface < kMaxInterfaces);
    RoutedInterface& link = state_->interfaces[interface];
    link.is_up = is_up;
    link.mtu = mtu;
    link.macs = macs;
    state_->changed_interfaces.insert(interface);
}

Update Routing::State::collect() {
    Update update;
    bool has_link_changed = false;
    for (const InterfaceIndex index : changed_interfaces) {
        if (interfaces[index] == installed_interfaces[index]) continue;
        has_link_changed |= interfaces[index].is_up != installed_interfaces[index].is_up;
        installed_interfaces[index] = interfaces[index];
        update.interfaces.push_back(index);
    }
    changed_interfaces.clear();
    // Which hops are chosen depends on the links.
    for (const auto& [contents, use] : groups.all()) {
        if (has_link_changed && contents.hops.size() > 1)
            update.groups.emplace_back(use.id, contents);
    }
    for (const IpPrefix& prefix : changed_prefixes)
        collect_route(prefix, update);
    changed_prefixes.clear();
    if (update.removed.empty()) return update;
    // There is room now, perhaps.
    for (const IpPrefix& prefix : std::set(std::exchange(left_out, {})))
        collect_route(prefix, update);
    return update;
}

void Routing::State::collect_route(const IpPrefix& prefix, Update& update) {
    left_out.erase(prefix);
    const auto now = wanted.find(prefix);
    const auto before = installed.find(prefix);
    const RouteEntry* best = now == wanted.end() ? nullptr : &now->second.begin()->second;
    if (best != nullptr && before != installed.end() && *best == before->second) return;

    if (before != installed.end()) update.released.push_back(contents_of(before->second));
    const GroupContents contents = best == nullptr ? GroupContents{} : contents_of(*best);
    bool is_new = false;
    const GroupRegistry::Use* use = best == nullptr ? nullptr : groups.acquire(contents, is_new);
    if (use == nullptr) {
        if (best != nullptr) left_out.insert(prefix);
        if (before == installed.end()) return;
        update.removed.push_back(prefix);
        installed.erase(before);
        return;
    }
    if (is_new) update.groups.emplace_back(use->id, contents);
    update.set.emplace_back(prefix, use->id);
    installed.insert_or_assign(prefix, *best);
}

// The tables are full. Both sides have gone through the same changes, so both of them refuse.
void Routing::State::take_back(const IpPrefix& prefix, Update& update) {
    const auto found = installed.find(prefix);
    if (found == installed.end()) return;
    update.released.push_back(contents_of(found->second));
    installed.erase(found);
    left_out.insert(prefix);
}

void Routing::State::change(RouteSide& side, const Update& update) {
    for (const InterfaceIndex index : update.interfaces)
        side.set_interface(index, installed_interfaces[index]);
    for (const auto& [id, contents] : update.groups)
        side.set_group(id, contents);
    for (const IpPrefix& prefix : update.removed)
        side.remove_route(prefix);
}

void Routing::apply(const std::function<void()>& wait) {
    State& state = *state_;
    Update update = state.collect();
    if (update.is_empty() && !state.neighbours->is_short_of_slots()) return;

    RouteSide* const before = state.active.load(std::memory_order_relaxed);
    RouteSide* const spare = state.sides[before == state.sides[0].get() ? 1 : 0].get();
    state.change(*spare, update);
    std::vector<IpPrefix> refused;
    for (const auto& [prefix, group] : update.set) {
        if (spare->set_route(prefix, group)) continue;
        spare->remove_route(prefix);
        refused.push_back(prefix);
    }
    // A worker that sees the new epoch sees the new side.
    state.active.store(spare, std::memory_order_release);
    epoch_.fetch_add(1, std::memory_order_release);
    wait();

    state.change(*before, update);
    for (const auto& [prefix, group] : update.set) {
        if (!before->set_route(prefix, group)) before->remove_route(prefix);
    }
    for (const IpPrefix& prefix : refused)
        state.take_back(prefix, update);
    for (const GroupContents& contents : update.released)
        state.groups.release(contents);
    state.neighbours->recycle();
}

void Routing::set_neighbour(const NeighbourKey& key, NeighbourWord::State state,
                            const MacAddress& mac) {
    if (state_->neighbours->set(key, state, mac)) version_.fetch_add(1, std::memory_order_release);
}

void Routing::remove_neighbour(const NeighbourKey& key) {
    state_->neighbours->remove(key);
}

std::vector<NeighbourKey> Routing::take_requests() {
    return state_->neighbours->take_requests();
}

std::vector<NeighbourKey> Routing::take_used() {
    return state_->neighbours->take_used();
}

std::vector<Routing::RouteEntry> Routing::routes() const {
    std::vector<RouteEntry> routes;
    routes.reserve(state_->installed.size());
    for (const auto& [prefix, route] : state_->installed)
        routes.push_back(route);
    return routes;
}

std::vector<Routing::NeighbourEntry> Routing::neighbours() const {
    return state_->neighbours->entries();
}

std::vector<InterfaceAddress> Routing::addresses(InterfaceIndex interface) const {
    return state_->interfaces[std::min<InterfaceIndex>(interface, kMaxInterfaces)].addresses;
}

size_t Routing::routes_left_out() const noexcept {
    return state_->left_out.size();
}

size_t Routing::neighbours_left_out() const noexcept {
    return state_->neighbours->left_out();
}

bool Routing::RouteEntry::operator==(const RouteEntry& other) const {
    return prefix.address == other.prefix.address && prefix.length == other.prefix.length &&
           kind == other.kind && metric == other.metric && hops == other.hops &&
           is_broadcast == other.is_broadcast;
}

NeighbourWord::NeighbourWord(State state, InterfaceIndex interface, const MacAddress& mac) noexcept
    : raw_(uint64_t{static_cast<uint8_t>(state)} << 56 | uint64_t{interface} << 48) {
    __builtin_memcpy(&raw_, mac.data(), mac.size());
}

}  // namespace rampart
