// KeyTable: flow keys -> TableEntry.
//
//   TagIndex      both families; the keys are in the flows (StoredKey, FlowReply), and of
//                 foreign entries in a KeyStore; or
//   RteHashIndex  one per family, with the keys (conntrack.index: rte_hash)
//
// One key per flow: both directions normalise to it (tuple.h). A translated flow has two, one per
// direction (table_entry.h); where that one is taken in the other order, it is kept under the key's
// other form, which no packet has by itself. What names a flow as its own is written into the
// flow's records before the next look-up. Allocated at start. Owner: one worker, which alone
// calls it.
#pragma once

#include <cstdint>
#include <string>
#include <type_traits>

#include "base/prefetch.h"
#include "base/result.h"
#include "conntrack/flow_arrays.h"
#include "conntrack/key_batch.h"
#include "conntrack/key_match.h"
#include "conntrack/key_store.h"
#include "conntrack/keyed_hash.h"
#include "conntrack/rte_hash_index.h"
#include "conntrack/settings.h"
#include "conntrack/table_entry.h"
#include "conntrack/tag_index.h"
#include "packet/packet.h"

namespace rampart {

class KeyTable {
  public:
    KeyTable() = default;
    KeyTable(const KeyTable&) = delete;
    KeyTable& operator=(const KeyTable&) = delete;

    struct Options {
        std::string name;           // unique in the process
        uint32_t capacity = 0;      // keys
        uint32_t foreign_keys = 0;  // of those for flows of other workers
        int numa_node = -1;
        KeyedHash hash = KeyedHash::from_seed(0);
        KeyIndexKind kind = KeyIndexKind::Buckets;
    };
    // `arrays` is where the flows are, and outlives this. An RteHash table has room for `capacity`
    // keys of each family. False: no memory.
    bool create(const Options& options, const FlowArrays& arrays);
    static uint64_t bytes_for(const Options& options) noexcept;

    // Fills batch.hash.
    void hash(KeyBatch& batch, Family family) const noexcept;
    // The keyed hash of a tuple's key: what steering goes by.
    uint32_t hash_of(const Tuple& tuple) const noexcept;
    uint32_t hash_of(FlowIndex index) const noexcept;  // of this flow's key

    // For each of a batch, in any order: plain(at, FlowRef) where there is a plain entry, of a
    // packet whose key is not swapped; other(at, TableEntry) for everything else, and nothing:
    // settle() says whether it is the packet's. What they name is asked for in the cache.
    template <typename Plain, typename Other>
    void find(const KeyBatch& batch, Family family, Plain plain, Other other) const noexcept {
        if (!has_tags_) [[unlikely]]
            return find_in_rte_hash(batch, family, plain, other);
        uint32_t words[KeyBatch::kCapacity];
        if (family == Family::Ipv4) {
            tags_.propose(batch.hash.data(), batch.count, words,
                          [&](uint32_t, uint32_t word) { prefetch_flow(word); });
            sort_out<FlowKey4>(batch, words, plain, other);
        } else {
            tags_.propose(batch.hash.data(), batch.count, words, [&](uint32_t, uint32_t word) {
                prefetch_flow(word);
                prefetch_addresses(word);
            });
            sort_out<FlowKey6>(batch, words, plain, other);
        }
    }
    TableEntry settle(TableEntry found, const Packet& packet) const noexcept {
        if (found.is_plain() && (!found.is_none() || other_forms_ == 0)) [[likely]]
            return found;
        return found.covers(order_of(packet)) && !found.is_none() ? found : find_other_form(packet);
    }
    // An error belongs to the flow that answers to the packet it quotes (netfilter inverts that
    // packet's tuple): the key is the same, its order the other.
    static bool order_of(const Packet& packet) noexcept {
        return packet.swapped != packet.is_icmp_error;
    }
    // Settled.
    TableEntry find(const Packet& packet, uint32_t hash) const noexcept;
    TableEntry find(const Tuple& tuple) const noexcept;

    // A plain entry under the packet's key, which find() did not find. False: no room.
    bool insert(const Packet& packet, uint32_t hash, TableEntry entry) noexcept {
        if (has_tags_ && one_ways_ == 0) [[likely]]
            return tags_.add(hash, entry);
        return insert_among_others(packet, hash, entry);
    }
    // An entry for one way. `make` gets the order of the key. False: no room, or taken.
    bool insert_one_way(const Tuple& tuple,
                        TableEntry (*make)(uint32_t what, bool swapped) noexcept,
                        uint32_t what) noexcept;
    void remove_one_way(const Tuple& tuple,
                        TableEntry (*make)(uint32_t what, bool swapped) noexcept,
                        uint32_t what) noexcept;
    // Before insert(), of a packet that was looked up a moment ago.
    void prefetch_room(uint32_t hash) const noexcept {
        if (has_tags_) tags_.prefetch_room(hash);
    }
    void remove_plain(uint32_t hash, FlowRef ref) noexcept;
    // Where it is on its way to the cache.
    void prefetch(uint32_t hash) const noexcept {
        if (has_tags_) tags_.prefetch(hash);
    }

  private:
    struct Key;
    void prefetch_flow(uint32_t word) const noexcept {
        if (TagIndex::is_foreign(word)) [[unlikely]]
            return prefetch_foreign(word);
        const FlowIndex index = TagIndex::index_of(word);
        prefetch_to_read(&arrays_->flows[index]);
        if (arrays_->forwarding != nullptr) prefetch_to_write(&arrays_->forwarding[index]);
    }
    void prefetch_addresses(uint32_t word) const noexcept {
        if (!TagIndex::is_foreign(word))
            prefetch_to_read(&arrays_->addresses6[TagIndex::index_of(word)]);
    }
    void prefetch_foreign(uint32_t word) const noexcept;
    // The entry that was proposed, if its key is this one, or another one of this key.
    TableEntry verify(const KeyBatch& batch, uint32_t at, Family family,
                      uint32_t word) const noexcept;
    // The plain ones first, in a loop that does nothing else.
    template <typename FlowKey, typename Plain, typename Other>
    void sort_out(const KeyBatch& batch, const uint32_t* words, Plain plain,
                  Other other) const noexcept {
        constexpr Family kFamily = std::is_same_v<FlowKey, FlowKey4> ? Family::Ipv4 : Family::Ipv6;
        const auto key_at = [&](uint32_t at) -> const FlowKey& {
            return *static_cast<const FlowKey*>(batch.key[at]);
        };
        uint8_t rest[KeyBatch::kCapacity];
        uint32_t rest_count = 0;
        for (uint32_t at = 0; at < batch.count; ++at) {
            const uint32_t word = words[at];
            if (word < TagIndex::kNothing && is_plain_of(*arrays_, word, key_at(at))) [[likely]]
                plain(at, FlowRef::from_raw(word));
            else
                rest[rest_count++] = static_cast<uint8_t>(at);
        }
        for (uint32_t n = 0; n < rest_count; ++n) {
            const uint32_t at = rest[n];
            const uint32_t word = words[at];
            if (word == TagIndex::kNothing)
                other(at, TableEntry{});
            else if (word > TagIndex::kNothing && is_one_way_of(*arrays_, word, key_at(at)))
                other(at, TagIndex::entry_of(word));
            else
                other(at, verify(batch, at, kFamily, word));
        }
    }
    template <typename Plain, typename Other>
    void find_in_rte_hash(const KeyBatch& batch, Family family, Plain plain,
                          Other other) const noexcept {
        TableEntry entries[KeyBatch::kCapacity];
        rte_hash_of(family).find(batch.key.data(), batch.hash.data(), batch.count, entries);
        for (uint32_t at = 0; at < batch.count; ++at) {
            if (entries[at].is_plain() && !entries[at].is_none())
                plain(at, FlowRef::from_raw(static_cast<uint32_t>(entries[at].raw())));
            else
                other(at, entries[at]);
        }
    }
    const RteHashIndex& rte_hash_of(Family family) const noexcept {
        return family == Family::Ipv4 ? hash4_ : hash6_;
    }
    RteHashIndex& rte_hash_of(Family family) noexcept {
        return family == Family::Ipv4 ? hash4_ : hash6_;
    }
    // As it stands among the tags: a foreign one names its place in the store.
    TableEntry look_up_stored(const Key& key) const noexcept;
    bool is_of(TableEntry stored, const Key& key) const noexcept;
    Key key_of(FlowIndex index) const noexcept;
    TableEntry named(TableEntry stored) const noexcept;
    TableEntry look_up(const Key& key) const noexcept;
    TableEntry find_other_form(const Packet& packet) const noexcept;
    bool insert_among_others(const Packet& packet, uint32_t hash, TableEntry entry) noexcept;
    bool has_other_form(Key key) const noexcept;
    bool add(const Key& key, TableEntry entry) noexcept;
    bool remove(const Key& key) noexcept;

    KeyedHash hash_ = KeyedHash::from_seed(0);
    const FlowArrays* arrays_ = nullptr;
    bool has_tags_ = false;
    TagIndex tags_;
    KeyStore foreign_;
    RteHashIndex hash4_, hash6_;  // unless has_tags_
    uint32_t one_ways_ = 0;       // entries that are not plain
    uint32_t other_forms_ = 0;    // entries under the other form of their key
};

}  // namespace rampart
