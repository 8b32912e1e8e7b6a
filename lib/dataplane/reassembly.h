// Reassembly: fragments in, whole datagrams out, as netfilter's defragmentation does before any
// rule sees a packet (nf_defrag_ipv4, nf_conntrack_reasm).
//
// A datagram is known by ingress port, VLAN, addresses, protocol and identification, and belongs to
// one worker (Steering::fragment_owner). It is held until it is complete, at most for the timeout
// that counts from its first fragment, within fixed bounds of datagrams and mbufs; beyond those the
// oldest gives way, so that a flood of fragments that never complete costs others nothing.
// Contradictions kill the datagram: an overlap, two ends, a piece past the end.
//
// Most datagrams come in one go, their fragments in order and one after the other: join() makes
// them whole without ever holding them. add() is for all others.
//
// Owner: one worker, which alone calls everything. Allocates at creation only. Needs EAL and
// register_datagram_mark(). RFC 791, RFC 8200 4.5, RFC 5722, RFC 7112, RFC 3168 5.3.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "base/clock.h"
#include "base/shared.h"
#include "conntrack/key_batch.h"
#include "conntrack/keyed_hash.h"
#include "packet/drop_reason.h"
#include "packet/fragment.h"

struct rte_mbuf;

namespace rampart {

class Reassembly {
  public:
    static constexpr uint32_t kMaxPieces = 64;  // fragments of one datagram

    struct Options {
        uint32_t datagrams = 1024;  // under way at a time
        uint32_t fragments = 2048;  // mbufs held; as much memory as netfilter's 4 MiB
        KeyedHash hash = KeyedHash::from_seed(0);
    };
    explicit Reassembly(const Options& options);
    ~Reassembly();
    Reassembly(const Reassembly&) = delete;
    Reassembly& operator=(const Reassembly&) = delete;

    // A fragment with its parsed view, of FrameKind::Fragment.
    struct Arrival {
        rte_mbuf* mbuf;
        Packet* packet;
        Fragment fragment;
    };

    // Gives a fragment the key of its datagram, which has this identification.
    static void set_key(Packet& packet, uint32_t id) noexcept {
        if (packet.family != Family::Ipv4) [[unlikely]]
            return set_key6(packet, id);
        const uint64_t rest = be16::from_host(static_cast<uint16_t>(id)).raw |
                              uint32_t{be16::from_host(packet.vlan_tci & 0x0fff).raw} << 16 |
                              uint64_t{packet.in_port} << 32 |
                              uint64_t{packet.protocol} << 48;  // RFC 8200, 4.5: not in IPv6
        uint8_t* key = reinterpret_cast<uint8_t*>(&packet.key4);
        store(key, load<uint64_t>(packet.l3() + 12));
        store(key + 8, rest);
    }
    // Fills batch.hash for such keys: by it Steering finds the datagram's owner, and add() the
    // datagram.
    void hash(KeyBatch& batch, Family family) const noexcept;

    struct Outcome {
        enum class Kind : uint8_t {
            Held,      // the mbuf is kept
            Complete,  // `datagram` is the whole of it, marked; its mbufs are the caller's
            Drop       // the caller keeps the mbuf and drops it for `reason`
        } kind;
        DropReason reason{};           // of Drop
        rte_mbuf* datagram = nullptr;  // of Complete
        uint32_t pieces = 0;           // of Complete: fragments it was made of
        // Held fragments that were freed: for `reason`, for lack of room, because of their age.
        uint32_t lost = 0, evicted = 0, expired = 0;
    };
    // `packet` is the parsed view of `mbuf`, of FrameKind::Fragment, with its key. `timeout` in
    // ticks.
    Outcome add(rte_mbuf* mbuf, const Packet& packet, const Fragment& fragment, uint32_t hash,
                Tick now, Tick timeout) noexcept;

    // How many of the fragments from the front on, which have keys, are a whole datagram in order;
    // 0: they are none, or an unusual one (of IPv6, with options, in several segments).
    static uint32_t count_run(std::span<const Arrival> arrivals) noexcept;
    // The datagram that `run` is by count_run(), marked, as add() would have made it of one after
    // the other; its mbufs are the caller's. Null: add() must be asked, and nothing was done.
    rte_mbuf* join(std::span<const Arrival> run, uint32_t hash, Tick timeout) const noexcept;

    // Frees what is overdue, a bounded number of datagrams per call; returns the fragments freed.
    uint32_t expire(Tick now) noexcept;

    // worker: rw, control: ro
    uint32_t held() const noexcept { return held_.load(); }
    // Owner: the mbufs of the held fragments; what Options::fragments bounds.
    uint32_t held_mbufs() const noexcept { return held_mbufs_; }

  private:
    using Index = uint16_t;
    static constexpr Index kNone = 0xffff;
    struct Piece {
        rte_mbuf* mbuf;
        uint16_t skip;  // bytes of headers before the piece
        uint16_t offset;
        uint16_t length;
        uint32_t end() const noexcept { return uint32_t{offset} + length; }
    };
    struct Datagram {
        FlowKey6 key;  // of IPv4 a FlowKey4 at its front
        Tick deadline = 0;
        uint32_t bucket = 0;
        Index next = kNone;  // in its bucket, or in the free list
        Index older = kNone, newer = kNone;
        uint16_t count = 0;
        uint16_t mbufs = 0;  // of all pieces: a fragment may have several segments
        uint16_t largest = 0, largest_unfragmentable = 0;  // IP lengths: of all, of those with DF
        uint8_t congestion = 0;                            // set of ECN values
        bool has_last = false;
        Family family = Family::None;
        uint16_t l3_offset = 0, headers = 0;  // of the first fragment; IP headers in bytes
        uint32_t end = 0;                     // of the furthest piece
        uint32_t bytes = 0;                   // received
        FragmentShape shape;
        Piece pieces[kMaxPieces];
    };
    enum class Insertion : uint8_t { Done, Duplicate, Overlap };
    struct Ages {
        Index oldest = kNone, newest = kNone;
    };

    static void set_key6(Packet& packet, uint32_t id) noexcept;
    static bool is_of(const Datagram& datagram, const Packet& packet) noexcept;
    Index find(const Packet& packet, uint32_t bucket) const noexcept;
    Index begin(const Packet& packet, uint32_t bucket, Tick deadline) noexcept;
    void make_room(Outcome& outcome) noexcept;
    void unlink(Index index) noexcept;
    uint32_t discard(Index index) noexcept;  // returns the fragments freed
    Index find_or_begin(const Packet& packet, uint32_t hash, Tick now, Tick timeout,
                        Outcome& outcome) noexcept;
    static Insertion insert(Datagram& datagram, Piece piece) noexcept;
    static bool is_plausible(const Datagram& datagram, const Fragment& fragment) noexcept;
    void note(Datagram& datagram, const Fragment& fragment, const Packet& packet) noexcept;
    static rte_mbuf* assemble(Datagram& datagram) noexcept;
    static Outcome take_whole(rte_mbuf* mbuf, const Packet& packet) noexcept;
    Ages& ages(Family family) noexcept { return ages_[family == Family::Ipv4 ? 0 : 1]; }

    Options options_;
    std::vector<Datagram> datagrams_;
    std::vector<Index> buckets_;
    Index free_ = kNone;
    Ages ages_[2];  // by family: one timeout each, so the oldest is due first
    Shared<uint32_t> held_;
    uint32_t held_mbufs_ = 0;
};

}  // namespace rampart
