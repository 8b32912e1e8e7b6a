// TCP: the state table, then the special cases it leaves open, then the window.
//
// Follows netfilter (nf_conntrack_tcp_packet) and the RFCs it refers to: 9293, and 5961 for
// challenge ACKs and the validation of RST.
#include "conntrack/trackers/tcp_states.h"
#include "conntrack/trackers/tcp_window.h"
#include "conntrack/trackers/trackers.h"

namespace rampart {
namespace {

constexpr TimeoutId kTimeoutIds[] = {
    TimeoutId::TcpSynSent,     TimeoutId::TcpSynSent2,      TimeoutId::TcpSynRecv,
    TimeoutId::TcpEstablished, TimeoutId::TcpFinWait,       TimeoutId::TcpCloseWait,
    TimeoutId::TcpLastAck,     TimeoutId::TcpTimeWait,      TimeoutId::TcpClose,
    TimeoutId::TcpMaxRetrans,  TimeoutId::TcpUnacknowledged};

TimeoutId timeout_of(TcpState state) noexcept {
    switch (state) {
        case TcpState::SynSent:
            return TimeoutId::TcpSynSent;
        case TcpState::SynSent2:
            return TimeoutId::TcpSynSent2;
        case TcpState::SynRecv:
            return TimeoutId::TcpSynRecv;
        case TcpState::Established:
            return TimeoutId::TcpEstablished;
        case TcpState::FinWait:
            return TimeoutId::TcpFinWait;
        case TcpState::CloseWait:
            return TimeoutId::TcpCloseWait;
        case TcpState::LastAck:
            return TimeoutId::TcpLastAck;
        case TcpState::TimeWait:
            return TimeoutId::TcpTimeWait;
        case TcpState::None:
        case TcpState::Close:
        case TcpState::Ignore:
        case TcpState::Invalid:
            break;
    }
    return TimeoutId::TcpClose;
}

unsigned index_of(Direction direction) noexcept {
    return static_cast<unsigned>(direction);
}

// Everything update() works on, so that the special cases can be functions.
struct Step {
    const TrackInput& input;
    TcpFlow& tcp;
    const TcpSegment& segment;
    TcpState old_state;
    TcpState new_state;
    unsigned sender;
    unsigned peer;

    bool last_was(TcpClass tcp_class, unsigned from) const noexcept {
        return tcp.last.tcp_class == tcp_class && index_of(tcp.last.direction) == from;
    }
    bool is_established() const noexcept {
        return old_state == TcpState::Established && input.flow.has(flow_status::kAssured);
    }
};

// A SYN in TIME_WAIT or CLOSE opens the connection anew when it was closed in order, or when this
// side itself had reset it.
bool may_reopen(const Step& step) noexcept {
    return (step.tcp.flags[0] | step.tcp.flags[1]) & tcp_side::kCloseInit ||
           step.last_was(TcpClass::Rst, step.sender);
}

// The answer to a SYN that was ignored: the firewall was out of step with the two ends, not they
// with each other. Take the noted SYN for the start of the connection.
bool resynchronise(Step& step) noexcept {
    TcpFlow& tcp = step.tcp;
    if (step.segment.tcp_class != TcpClass::SynAck || !step.last_was(TcpClass::Syn, step.peer) ||
        step.segment.ack != tcp.last.end)
        return false;
    step.old_state = TcpState::SynSent;
    step.new_state = TcpState::SynRecv;
    TcpSide& opener = tcp.side[step.peer];
    opener.end = opener.max_end = tcp.last.end;
    opener.max_win = tcp.last.win == 0 ? 1 : tcp.last.win;
    tcp.scale[step.peer] = tcp.last_scale;
    tcp.last_flags &= static_cast<uint8_t>(~tcp_last::kExpectChallengeAck);
    tcp.flags[step.peer] = tcp.last_flags;
    tcp.side[step.sender] = TcpSide{};
    tcp.scale[step.sender] = 0;
    tcp.flags[step.sender] &= tcp_side::kBeLiberal;
    return true;
}

// An ignored packet leaves only a note, for the packet that answers it.
TrackOutcome note_and_ignore(Step& step) noexcept {
    TcpFlow& tcp = step.tcp;
    tcp.last.tcp_class = step.segment.tcp_class;
    tcp.last.direction = step.input.direction;
    tcp.last.seq = step.segment.seq;
    tcp.last.end = step.segment.end;
    tcp.last.win = step.segment.window;
    const bool is_original = step.input.direction == Direction::Original;
    if (step.segment.tcp_class == TcpClass::Syn && is_original) {
        const TcpSynOptions options = read_syn_options(step.segment);
        tcp.last_flags = options.flags;
        tcp.last_scale = options.scale;
        // RFC 5961, 4.2: the peer in LAST_ACK answers with a challenge ACK.
        if (step.old_state == TcpState::LastAck) tcp.last_flags |= tcp_last::kExpectChallengeAck;
    }
    if (step.segment.tcp_class == TcpClass::Ack && !is_original &&
        step.old_state == TcpState::SynSent)
        tcp.last.ack = step.segment.ack;
    return TrackOutcome::ignore();
}

enum class ResetCheck : uint8_t { Invalid, CheckWindow, Accept };

// RFC 5961, 3.2 from the middle: an exact RST closes, one that is only in the window changes
// nothing but the timeout, one from the past is a forgery or a stray.
ResetCheck check_reset(Step& step) noexcept {
    TcpFlow& tcp = step.tcp;
    const Flow& flow = step.input.flow;
    if (step.old_state >= TcpState::FinWait && step.old_state <= TcpState::Close)
        return ResetCheck::Accept;  // the tuple may be in use again already

    if (tcp.flags[step.peer] & tcp_side::kMaxAckSet && tcp.last.tcp_class != TcpClass::Syn) {
        const uint32_t seq = step.segment.seq;
        const uint32_t expected = tcp.side[step.peer].max_ack;
        if (seq == 0 && !step.is_established()) return ResetCheck::CheckWindow;
        if (is_after(expected, seq) && !step.input.settings.tcp_ignore_invalid_rst)
            return ResetCheck::Invalid;
        if (!step.is_established() || seq == expected) return ResetCheck::CheckWindow;
        // The last segment of a train, directly behind its data.
        if (step.last_was(TcpClass::Ack, step.sender) && seq == tcp.last.end)
            return ResetCheck::CheckWindow;
        step.new_state = step.old_state;
    }
    // The answer to the other side's SYN, or to an ACK, that was let through.
    const bool answers_ignored =
        (flow.has(flow_status::kSeenReply) && step.last_was(TcpClass::Syn, step.peer)) ||
        (!flow.has(flow_status::kAssured) && tcp.last.tcp_class == TcpClass::Ack);
    if (answers_ignored && step.segment.ack == tcp.last.end) return ResetCheck::Accept;
    // The answer to a challenge ACK that was let through.
    if (step.old_state == TcpState::SynSent &&
        step.last_was(TcpClass::Ack, index_of(Direction::Reply)) &&
        step.segment.seq == tcp.last.ack)
        return ResetCheck::Accept;
    return ResetCheck::CheckWindow;
}

// Both sides tried to end the connection outside the window: they know something we do not, so the
// entry need not live for days.
TrackOutcome invalid_in_window(Step& step) noexcept {
    TcpFlow& tcp = step.tcp;
    Flow& flow = step.input.flow;
    const TcpClass tcp_class = step.segment.tcp_class;
    const TrackOutcome invalid = TrackOutcome::invalid(InvalidReason::TcpWindow);
    if (!flow.has(flow_status::kAssured) ||
        (tcp_class != TcpClass::Rst && tcp_class != TcpClass::Fin))
        return invalid;
    if (!step.last_was(TcpClass::Fin, step.peer) && !step.last_was(TcpClass::Rst, step.peer)) {
        tcp.last.tcp_class = tcp_class;
        tcp.last.direction = step.input.direction;
        return invalid;
    }
    const Tick left = ticks_left(flow.deadline.load(), step.input.now);
    const Tick unacknowledged = step.input.settings.timeout(TimeoutId::TcpUnacknowledged);
    if (left < ticks_of_seconds(120) || left <= unacknowledged) return invalid;
    TrackOutcome outcome = invalid;
    outcome.refresh = true;
    outcome.timeout = unacknowledged;
    return outcome;
}

inline Tick choose_timeout(const Step& step) noexcept {
    const ConntrackSettings& settings = step.input.settings;
    const TcpFlow& tcp = step.tcp;
    const Tick of_state = settings.timeout(timeout_of(step.new_state));
    const Tick max_retrans = settings.timeout(TimeoutId::TcpMaxRetrans);
    const Tick unacknowledged = settings.timeout(TimeoutId::TcpUnacknowledged);
    if (tcp.retrans >= settings.tcp_max_retrans && of_state > max_retrans) return max_retrans;
    if (step.segment.tcp_class == TcpClass::Rst) return settings.timeout(TimeoutId::TcpClose);
    if ((tcp.flags[0] | tcp.flags[1]) & tcp_side::kUnacked && of_state > unacknowledged)
        return unacknowledged;
    if (tcp.last.win == 0 && of_state > max_retrans) return max_retrans;
    return of_state;
}

// Inline: what a step is made of is known where it is made.
[[gnu::always_inline]] inline TrackOutcome commit(const Step& step) noexcept {
    Flow& flow = step.input.flow;
    TcpFlow& tcp = step.tcp;
    tcp.last.tcp_class = step.segment.tcp_class;
    tcp.last.direction = step.input.direction;
    if (step.old_state != step.new_state) {
        flow.state.store(static_cast<uint8_t>(step.new_state));
        if (step.new_state == TcpState::FinWait) tcp.flags[step.sender] |= tcp_side::kCloseInit;
    }
    Tick timeout = choose_timeout(step);
    if (!flow.has(flow_status::kSeenReply)) {
        // Refused: there is no connection to keep an entry for.
        if (step.segment.has(tcp_flag::kRst))
            return {TrackResult::AcceptAndErase, InvalidReason::None, false, 0};
        // A repeated SYN must not keep a half-open entry alive.
        if (step.segment.tcp_class == TcpClass::Syn && step.old_state == TcpState::SynSent)
            return TrackOutcome::accept_unchanged();
        const Tick unacknowledged = step.input.settings.timeout(TimeoutId::TcpUnacknowledged);
        if (step.new_state == TcpState::Established && timeout > unacknowledged)
            timeout = unacknowledged;
    } else if (!flow.has(flow_status::kAssured) && step.new_state == TcpState::Established &&
               (step.old_state == TcpState::SynRecv || step.old_state == TcpState::Established)) {
        flow.note_status(flow_status::kAssured);
    }
    return TrackOutcome::accept(timeout);
}

// The states that the table alone does not settle. False: `outcome` is final.
bool settle_state(Step& step, bool& skip_window, TrackOutcome& outcome) noexcept {
    switch (step.new_state) {
        case TcpState::SynSent:
            if (step.old_state < TcpState::TimeWait) return true;
            if (may_reopen(step)) {
                outcome = {TrackResult::Reopen, InvalidReason::None, false, 0};
                return false;
            }
            [[fallthrough]];
        case TcpState::Ignore:
            if (resynchronise(step)) return true;
            outcome = note_and_ignore(step);
            return false;
        case TcpState::Invalid:
            outcome = TrackOutcome::invalid(InvalidReason::TcpState);
            return false;
        case TcpState::TimeWait:
            if (step.old_state == TcpState::LastAck && step.segment.tcp_class == TcpClass::Ack &&
                step.last_was(TcpClass::Syn, step.peer) &&
                step.tcp.last_flags & tcp_last::kExpectChallengeAck) {
                step.tcp.last_flags &= static_cast<uint8_t>(~tcp_last::kExpectChallengeAck);
                outcome = TrackOutcome::ignore();
                return false;
            }
            return true;
        case TcpState::SynSent2:
            step.tcp.last_flags |= tcp_last::kSimultaneousOpen;
            return true;
        case TcpState::SynRecv:
            if (step.input.direction == Direction::Reply &&
                step.segment.tcp_class == TcpClass::Ack &&
                step.tcp.last_flags & tcp_last::kSimultaneousOpen)
                step.new_state = TcpState::Established;
            return true;
        case TcpState::Close:
            if (step.segment.tcp_class != TcpClass::Rst) return true;
            switch (check_reset(step)) {
                case ResetCheck::Invalid:
                    outcome = TrackOutcome::invalid(InvalidReason::TcpReset);
                    return false;
                case ResetCheck::Accept:
                    skip_window = true;
                    return true;
                case ResetCheck::CheckWindow:
                    return true;
            }
            return true;
        case TcpState::None:
        case TcpState::Established:
        case TcpState::FinWait:
        case TcpState::CloseWait:
        case TcpState::LastAck:
            break;
    }
    return true;
}

TrackOutcome run(const TrackInput& input, const TcpSegment& segment) noexcept {
    const TcpState state = static_cast<TcpState>(input.flow.state.load());
    const unsigned sender = index_of(input.direction);
    Step step{input,
              input.flow.tcp,
              segment,
              state,
              next_tcp_state(input.direction, segment.tcp_class, state),
              sender,
              1 - sender};
    bool skip_window = false;
    TrackOutcome outcome;
    if (!settle_state(step, skip_window, outcome)) return outcome;
    if (!skip_window) {
        switch (check_window(step.tcp, input.direction, step.old_state, segment,
                             input.settings.is_liberal(input.packet.in_port))) {
            case WindowResult::Ignore:
                return TrackOutcome::ignore();
            case WindowResult::Invalid:
                return invalid_in_window(step);
            case WindowResult::Accept:
                break;
        }
    }
    return commit(step);
}

TrackOutcome first(const TrackInput& input) noexcept {
    const TcpSegment segment = read_segment(input.packet);
    const TcpState opened = next_tcp_state(Direction::Original, segment.tcp_class, TcpState::None);
    const bool is_pick_up = opened == TcpState::Established;
    if (opened == TcpState::Invalid ||
        (is_pick_up && !input.settings.is_loose(input.packet.in_port)))
        return TrackOutcome::invalid(InvalidReason::TcpNoConnection);
    begin_window(input.flow.tcp, segment);
    input.flow.state.store(static_cast<uint8_t>(TcpState::None));
    return run(input, segment);
}

// Behind these answers of the table there is no special case, but for a challenge ACK that is
// expected: only the window remains.
constexpr uint32_t kPlainStates = 1u << static_cast<unsigned>(TcpState::Established) |
                                  1u << static_cast<unsigned>(TcpState::FinWait) |
                                  1u << static_cast<unsigned>(TcpState::CloseWait) |
                                  1u << static_cast<unsigned>(TcpState::LastAck) |
                                  1u << static_cast<unsigned>(TcpState::TimeWait);

bool is_plain(const TcpFlow& tcp, const TcpSegment& segment, TcpState new_state) noexcept {
    return (segment.flags & (tcp_flag::kSyn | tcp_flag::kRst | tcp_flag::kAck)) == tcp_flag::kAck &&
           kPlainStates >> static_cast<unsigned>(new_state) & 1 &&
           !(tcp.last_flags & tcp_last::kExpectChallengeAck);
}

// The peer was sent what the helper made of this side's stream, and acknowledges that.
TrackOutcome update_adjusted(const TrackInput& input) noexcept {
    TcpSegment segment = read_segment(input.packet);
    segment.shift = offset_at(*input.adjust, opposite(input.direction), segment.ack - 1);
    segment.ack -= static_cast<uint32_t>(segment.shift);
    return run(input, segment);
}

// Data and acknowledgements of a connection, and its end in order, take a short way. Nothing on it
// needs the address of the segment, so that it stays in registers.
TrackOutcome update(const TrackInput& input) noexcept {
    if (input.adjust != nullptr) [[unlikely]]
        return update_adjusted(input);
    const TcpSegment segment = read_segment(input.packet);
    TcpFlow& tcp = input.flow.tcp;
    const TcpState old_state = static_cast<TcpState>(input.flow.state.load());
    const TcpState new_state = next_tcp_state(input.direction, segment.tcp_class, old_state);
    bool has_unacknowledged;  // choose_timeout() asks for itself
    if (!is_plain(tcp, segment, new_state) ||
        !advance_if_plain(tcp, input.direction, segment, has_unacknowledged)) [[unlikely]]
        return run(input, read_segment(input.packet));
    if (segment.tcp_class == TcpClass::Ack) count_retransmission(tcp, input.direction, segment);
    const unsigned sender = index_of(input.direction);
    const Step step{input, tcp, segment, old_state, new_state, sender, 1 - sender};
    return commit(step);
}

// The states in which netfilter's early-drop mode takes ASSURED flows, too.
constexpr uint32_t kClosingStates = 1u << static_cast<unsigned>(TcpState::FinWait) |
                                    1u << static_cast<unsigned>(TcpState::CloseWait) |
                                    1u << static_cast<unsigned>(TcpState::LastAck) |
                                    1u << static_cast<unsigned>(TcpState::TimeWait) |
                                    1u << static_cast<unsigned>(TcpState::Close);
// Those that netfilter's nf_conncount no longer counts.
constexpr uint32_t kEndedStates =
    1u << static_cast<unsigned>(TcpState::TimeWait) | 1u << static_cast<unsigned>(TcpState::Close);

}  // namespace

const Tracker kTcpTracker = {
    "tcp",          ip_protocol::kTcp, first,          update,
    kTcpStateNames, kTimeoutIds,       kClosingStates, static_cast<int8_t>(TcpState::Established),
    kEndedStates};

}  // namespace rampart
