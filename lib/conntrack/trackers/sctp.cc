// SCTP: chunk by chunk through the state table, with the verification tags that each direction must
// carry (RFC 9260, 8.5).
//
// Follows netfilter (nf_conntrack_sctp_packet). As there, chunks take effect one by one: what those
// before a refused one have changed stays.
#include "conntrack/trackers/sctp_chunks.h"
#include "conntrack/trackers/sctp_states.h"
#include "conntrack/trackers/trackers.h"

namespace rampart {
namespace {

constexpr TimeoutId kTimeoutOfState[kSctpStateCount] = {
    TimeoutId::SctpClosed,       TimeoutId::SctpClosed,          TimeoutId::SctpCookieWait,
    TimeoutId::SctpCookieEchoed, TimeoutId::SctpEstablished,     TimeoutId::SctpShutdownSent,
    TimeoutId::SctpShutdownRecd, TimeoutId::SctpShutdownAckSent, TimeoutId::SctpHeartbeatSent,
};
constexpr TimeoutId kTimeoutIds[] = {
    TimeoutId::SctpClosed,          TimeoutId::SctpCookieWait,    TimeoutId::SctpCookieEchoed,
    TimeoutId::SctpEstablished,     TimeoutId::SctpShutdownSent,  TimeoutId::SctpShutdownRecd,
    TimeoutId::SctpShutdownAckSent, TimeoutId::SctpHeartbeatSent,
};

constexpr uint32_t kInitBytes = 16;     // of the value of INIT and INIT ACK, without parameters
constexpr uint8_t kTagIsReflected = 1;  // the T flag: the tag is the peer's

constexpr uint32_t bit_of(SctpChunkType type) noexcept {
    return 1u << static_cast<unsigned>(type);
}

template <typename... Types>
constexpr uint32_t bits_of(Types... types) noexcept {
    return (bit_of(types) | ...);
}

// RFC 9260, 8.4: what may not begin an association.
constexpr uint32_t kNeverFirst =
    bits_of(SctpChunkType::Abort, SctpChunkType::ShutdownComplete, SctpChunkType::CookieAck);
// Packets with one of these have rules of their own for the tag.
constexpr uint32_t kOwnTagRule =
    bits_of(SctpChunkType::Init, SctpChunkType::ShutdownComplete, SctpChunkType::CookieEcho,
            SctpChunkType::Abort, SctpChunkType::ShutdownAck, SctpChunkType::Heartbeat,
            SctpChunkType::HeartbeatAck);

// RFC 9260, 3.3: INIT, INIT ACK and SHUTDOWN COMPLETE stand alone, cookies come first. The types
// that were seen; 0 for a packet that breaks this or has no chunk.
uint32_t check_chunks(const Packet& packet) noexcept {
    constexpr uint32_t kAlone =
        bits_of(SctpChunkType::Init, SctpChunkType::InitAck, SctpChunkType::ShutdownComplete);
    constexpr uint32_t kFirst = bits_of(SctpChunkType::CookieEcho, SctpChunkType::CookieAck);
    SctpChunks chunks(packet);
    SctpChunk chunk;
    uint32_t seen = 0;
    while (chunks.next(chunk)) {
        const uint32_t bit = bit_of(chunk.type);
        if (chunk.length == 0) return 0;
        if (seen != 0 && ((seen | bit) & kAlone || bit & kFirst)) return 0;
        seen |= bit;
    }
    return seen;
}

// Everything that a chunk may touch.
struct Step {
    const TrackInput& input;
    SctpFlow& sctp;
    uint32_t tag;   // of the packet
    uint32_t seen;  // types of its chunks
    unsigned sender;
    unsigned peer;
    SctpState state;
    bool is_new;
    bool keeps_timeout = false;
};

enum class TagCheck : uint8_t { Good, Skip, Bad };

// HEARTBEAT and HEARTBEAT ACK: a path whose tag is unknown is learned from them. After a restart of
// an association elsewhere the tags change: one HEARTBEAT with another tag may pass, and when the
// peer answers it, its tag is learned anew.
TagCheck check_heartbeat(Step& step, SctpChunkType type) noexcept {
    SctpFlow& sctp = step.sctp;
    uint32_t& known = sctp.tag[step.sender];
    if (known == 0) {
        known = step.tag;
        return TagCheck::Good;
    }
    if (known == step.tag) {
        sctp.has_odd_heartbeat = false;
        return TagCheck::Good;
    }
    if (step.seen & bit_of(SctpChunkType::Data) || step.keeps_timeout) return TagCheck::Bad;
    if (type == SctpChunkType::Heartbeat) {
        sctp.has_odd_heartbeat = true;
        sctp.odd_direction = step.input.direction;
        step.keeps_timeout = true;
        return TagCheck::Skip;
    }
    if (!sctp.has_odd_heartbeat || sctp.odd_direction == step.input.direction) return TagCheck::Bad;
    sctp.has_odd_heartbeat = false;
    known = step.tag;
    sctp.tag[step.peer] = 0;
    return TagCheck::Good;
}

// RFC 9260, 8.5.1.
TagCheck check_tag(Step& step, const SctpChunk& chunk) noexcept {
    const SctpFlow& sctp = step.sctp;
    bool is_good = true;
    switch (chunk.type) {
        case SctpChunkType::Init:
            is_good = step.tag == 0;
            break;
        case SctpChunkType::Abort:
        case SctpChunkType::ShutdownComplete:
            is_good = step.tag == sctp.tag[chunk.flags & kTagIsReflected ? step.peer : step.sender];
            break;
        case SctpChunkType::CookieEcho:
            is_good = step.tag == sctp.tag[step.sender];
            break;
        case SctpChunkType::CookieAck:
            step.sctp.has_init[0] = step.sctp.has_init[1] = false;
            break;
        case SctpChunkType::Heartbeat:
        case SctpChunkType::HeartbeatAck:
            return check_heartbeat(step, chunk.type);
        case SctpChunkType::InitAck:
        case SctpChunkType::Shutdown:
        case SctpChunkType::ShutdownAck:
        case SctpChunkType::Error:
        case SctpChunkType::Data:
        case SctpChunkType::Other:
            break;
    }
    return is_good ? TagCheck::Good : TagCheck::Bad;
}

// INIT and INIT ACK name the tag that the other side must use from now on.
InvalidReason note_tag(Step& step, const SctpChunk& chunk, SctpState next) noexcept {
    SctpFlow& sctp = step.sctp;
    if (chunk.readable < kInitBytes) return InvalidReason::SctpChunk;
    const uint32_t announced = load<uint32_t>(chunk.value);
    uint32_t& expected = sctp.tag[step.peer];
    if (chunk.type == SctpChunkType::Init) {
        // One that announces the known tag is a repetition or a stray, and settles nothing.
        if (step.state == SctpState::None || expected != announced) {
            if (sctp.has_init[step.sender] && sctp.has_init[step.peer])
                sctp.has_init[step.peer] = false;
            sctp.has_init[step.sender] = true;
        }
        // A repeated INIT must not keep a half-open entry alive.
        if (next == SctpState::Closed && step.state == SctpState::Closed && !step.is_new)
            step.keeps_timeout = true;
    } else {
        const bool collides = sctp.has_init[step.sender] && sctp.has_init[step.peer];
        const bool is_other = expected != announced;
        if (is_other && ((!sctp.has_init[step.peer] && expected != 0) || collides))
            return InvalidReason::SctpTag;
    }
    expected = announced;
    return InvalidReason::None;
}

InvalidReason apply(Step& step, const SctpChunk& chunk) noexcept {
    switch (check_tag(step, chunk)) {
        case TagCheck::Bad:
            return InvalidReason::SctpTag;
        case TagCheck::Skip:
            return InvalidReason::None;
        case TagCheck::Good:
            break;
    }
    const SctpState next = next_sctp_state(step.input.direction, chunk.type, step.state);
    if (next == SctpState::Invalid) return InvalidReason::SctpState;
    if (chunk.type == SctpChunkType::Init || chunk.type == SctpChunkType::InitAck) {
        const InvalidReason reason = note_tag(step, chunk, next);
        if (reason != InvalidReason::None) return reason;
    }
    if (next != step.state) {
        Flow& flow = step.input.flow;
        flow.state.store(static_cast<uint8_t>(next));
        if (next == SctpState::Established && !flow.has(flow_status::kAssured))
            flow.note_status(flow_status::kAssured);
    }
    step.state = next;
    return InvalidReason::None;
}

TrackOutcome run(Step step) noexcept {
    if (!(step.seen & kOwnTagRule) && step.tag != step.sctp.tag[step.sender])
        return TrackOutcome::invalid(InvalidReason::SctpTag);
    SctpChunks chunks(step.input.packet);
    SctpChunk chunk;
    while (chunks.next(chunk)) {
        const InvalidReason reason = apply(step, chunk);
        if (reason != InvalidReason::None) return TrackOutcome::invalid(reason);
    }
    if (step.keeps_timeout) return TrackOutcome::accept_unchanged();
    return TrackOutcome::accept(
        step.input.settings.timeout(kTimeoutOfState[static_cast<unsigned>(step.state)]));
}

// The tags as far as one packet tells them. Each chunk must be able to begin something by itself.
InvalidReason begin(Step& step) noexcept {
    SctpChunks chunks(step.input.packet);
    SctpChunk chunk;
    while (chunks.next(chunk)) {
        if (next_sctp_state(Direction::Original, chunk.type, SctpState::None) == SctpState::None)
            return InvalidReason::SctpNoAssociation;
        if (chunk.type == SctpChunkType::Init) {
            if (step.tag != 0) return InvalidReason::SctpTag;
            if (chunk.readable < kInitBytes) return InvalidReason::SctpChunk;
            step.sctp.tag[step.peer] = load<uint32_t>(chunk.value);
        } else if (chunk.type == SctpChunkType::Heartbeat) {
            step.sctp.tag[step.sender] = step.tag;
        } else if (chunk.type == SctpChunkType::ShutdownAck) {
            step.sctp.tag[step.peer] = step.tag;  // RFC 9260, 8.4 (5): it comes back
        }
    }
    return InvalidReason::None;
}

Step make_step(const TrackInput& input, uint32_t seen, bool is_new) noexcept {
    const unsigned sender = static_cast<unsigned>(input.direction);
    return {input,
            input.flow.sctp,
            sctp_tag_of(input.packet),
            seen,
            sender,
            1 - sender,
            static_cast<SctpState>(input.flow.state.load()),
            is_new};
}

TrackOutcome first(const TrackInput& input) noexcept {
    const uint32_t seen = check_chunks(input.packet);
    if (seen == 0) return TrackOutcome::invalid(InvalidReason::SctpChunk);
    if (seen & kNeverFirst) return TrackOutcome::invalid(InvalidReason::SctpNoAssociation);
    input.flow.sctp = SctpFlow{};
    Step step = make_step(input, seen, true);
    const InvalidReason reason = begin(step);
    return reason == InvalidReason::None ? run(step) : TrackOutcome::invalid(reason);
}

TrackOutcome update(const TrackInput& input) noexcept {
    const uint32_t seen = check_chunks(input.packet);
    if (seen == 0) return TrackOutcome::invalid(InvalidReason::SctpChunk);
    return run(make_step(input, seen, false));
}

constexpr uint32_t kClosingStates = 1u << static_cast<unsigned>(SctpState::ShutdownSent) |
                                    1u << static_cast<unsigned>(SctpState::ShutdownRecd) |
                                    1u << static_cast<unsigned>(SctpState::ShutdownAckSent);

}  // namespace

const Tracker kSctpTracker = {"sctp",          ip_protocol::kSctp,
                              first,           update,
                              kSctpStateNames, kTimeoutIds,
                              kClosingStates,  static_cast<int8_t>(SctpState::Established)};

}  // namespace rampart
