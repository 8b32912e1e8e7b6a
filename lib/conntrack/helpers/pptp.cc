// PPTP: a control connection sets up calls, whose packets are GRE with a call id of each side
// (RFC 2637). The client is the PNS, the server the PAC.
//
// As Linux's nf_conntrack_pptp.c and nf_nat_pptp.c: the reply that connects a call makes GRE
// expected in both directions, and tells how the two call ids belong together. With translation
// the client's call id becomes the port that the server sees its control connection come from,
// which is unique among the clients behind one address; so there is one translated call per control
// connection. All messages of a segment are read; Linux reads the first. A Call-Disconnect-Notify
// keeps its call id, which is the server's own (RFC 2637, 2.13).
#include <array>

#include "base/endian.h"
#include "conntrack/helpers/helpers.h"
#include "packet/packet.h"

namespace rampart {
namespace {

constexpr ExpectClass kClasses[] = {{"call", 2, 300}};
constexpr uint32_t kMagicCookie = 0x1a2b3c4d;
constexpr uint16_t kControlMessage = 1;
constexpr uint8_t kBothDirections = 1;  // Expectation::group

enum class PptpSession : uint8_t { None, Requested, Confirmed, StopRequested, Failed };
enum class PptpCall : uint8_t {
    None,
    OutRequested,
    OutConnected,
    InRequested,
    InReplied,
    InConnected
};

enum class PptpType : uint16_t {
    StartRequest = 1,
    StartReply = 2,
    StopRequest = 3,
    StopReply = 4,
    OutCallRequest = 7,
    OutCallReply = 8,
    InCallRequest = 9,
    InCallReply = 10,
    InCallConnected = 11,
    CallClearRequest = 12,
    CallDisconnectNotify = 13,
    WanErrorNotify = 14,
    SetLinkInfo = 15
};

// Lengths by type (RFC 2637, section 2); 0: unknown.
constexpr std::array<uint16_t, 16> kLengths = {0,  156, 156, 16, 16, 16,  20, 168,
                                               32, 220, 24,  28, 16, 148, 40, 24};
// Offsets in a message.
constexpr uint32_t kHeader = 12, kType = 8, kCallId = 12, kPeerCallId = 14, kStartResult = 14,
                   kStopResult = 12, kCallResult = 16;
constexpr uint8_t kOk = 1;

struct Message {
    const uint8_t* bytes;
    uint32_t offset;  // in the payload
    PptpType type;

    be16 id_at(uint32_t field) const noexcept { return load<be16>(bytes + field); }
};

class Control {
  public:
    Control(HelperInput& input, HelperHost& host) noexcept
        : input_(input), host_(host), state_(input.state.pptp) {}

    HelperVerdict take(const Message& message) noexcept {
        return input_.direction == Direction::Original ? from_client(message)
                                                       : from_server(message);
    }

  private:
    PptpSession session() const noexcept { return static_cast<PptpSession>(state_.session); }
    PptpCall call() const noexcept { return static_cast<PptpCall>(state_.call); }
    void set(PptpSession session) noexcept { state_.session = static_cast<uint8_t>(session); }
    void set(PptpCall call) noexcept { state_.call = static_cast<uint8_t>(call); }

    HelperVerdict from_client(const Message& message) noexcept;
    HelperVerdict from_server(const Message& message) noexcept;
    HelperVerdict announce_client_id(const Message& message) noexcept;
    HelperVerdict restore_client_id(const Message& message, uint32_t field) noexcept;
    HelperVerdict rewrite(const Message& message, uint32_t field, be16 id) noexcept;
    HelperVerdict connect() noexcept;
    void disconnect() noexcept;
    Expectation expect_gre(Direction direction, be16 source_key, be16 call_id) const noexcept;

    HelperInput& input_;
    HelperHost& host_;
    PptpState& state_;
};

HelperVerdict Control::rewrite(const Message& message, uint32_t field, be16 id) noexcept {
    if (!input_.is_translated) return HelperVerdict::accept();
    const std::string_view text{reinterpret_cast<const char*>(&id.raw), sizeof(id.raw)};
    return host_.replace(message.offset + field, sizeof(id.raw), text)
               ? HelperVerdict::accept()
               : HelperVerdict::dropped(HelperDrop::NotRewritten);
}

// The client tells its call id; the server gets the one that is its own from outside.
HelperVerdict Control::announce_client_id(const Message& message) noexcept {
    state_.pns_original_call_id = message.id_at(kCallId);
    state_.pns_call_id = input_.is_translated ? input_.reply.dst_port : state_.pns_original_call_id;
    return rewrite(message, kCallId, state_.pns_call_id);
}

// The server names the client's call id as it knows it.
HelperVerdict Control::restore_client_id(const Message& message, uint32_t field) noexcept {
    if (message.id_at(field) != state_.pns_call_id) return HelperVerdict::accept();
    return rewrite(message, field, state_.pns_original_call_id);
}

HelperVerdict Control::from_client(const Message& message) noexcept {
    switch (message.type) {
        case PptpType::StartRequest:
            if (session() == PptpSession::None) set(PptpSession::Requested);
            return HelperVerdict::accept();
        case PptpType::StopRequest:
            set(PptpSession::StopRequested);
            return HelperVerdict::accept();
        case PptpType::OutCallRequest:
            if (session() != PptpSession::Confirmed) return HelperVerdict::accept();
            set(PptpCall::OutRequested);
            return announce_client_id(message);
        case PptpType::InCallReply:
            if (call() != PptpCall::InRequested && call() != PptpCall::InReplied)
                return HelperVerdict::accept();
            if (message.id_at(kPeerCallId) != state_.pac_call_id) return HelperVerdict::accept();
            if (message.bytes[kCallResult] != kOk) {
                set(PptpCall::None);
                return HelperVerdict::accept();
            }
            set(PptpCall::InReplied);
            return announce_client_id(message);
        case PptpType::CallClearRequest:
            if (message.id_at(kCallId) != state_.pns_original_call_id)
                return HelperVerdict::accept();
            return rewrite(message, kCallId, state_.pns_call_id);
        default:
            return HelperVerdict::accept();
    }
}

HelperVerdict Control::from_server(const Message& message) noexcept {
    const bool is_up = session() == PptpSession::Confirmed;
    switch (message.type) {
        case PptpType::StartReply:
            if (session() == PptpSession::None) return HelperVerdict::accept();
            set(message.bytes[kStartResult] == kOk ? PptpSession::Confirmed : PptpSession::Failed);
            return HelperVerdict::accept();
        case PptpType::StopReply:
            set(message.bytes[kStopResult] == kOk ? PptpSession::None : PptpSession::Failed);
            return HelperVerdict::accept();
        case PptpType::OutCallReply:
            if (!is_up || (call() != PptpCall::OutRequested && call() != PptpCall::OutConnected) ||
                message.id_at(kPeerCallId) != state_.pns_call_id)
                return HelperVerdict::accept();
            if (message.bytes[kCallResult] != kOk) {
                set(PptpCall::None);
                return restore_client_id(message, kPeerCallId);
            }
            state_.pac_call_id = message.id_at(kCallId);
            set(PptpCall::OutConnected);
            if (const HelperVerdict verdict = connect(); verdict.is_drop()) return verdict;
            return restore_client_id(message, kPeerCallId);
        case PptpType::InCallRequest:
            if (!is_up) return HelperVerdict::accept();
            state_.pac_call_id = message.id_at(kCallId);
            set(PptpCall::InRequested);
            return HelperVerdict::accept();
        case PptpType::InCallConnected:
            if (!is_up || (call() != PptpCall::InReplied && call() != PptpCall::InConnected) ||
                message.id_at(kCallId) != state_.pns_call_id)
                return HelperVerdict::accept();
            set(PptpCall::InConnected);
            if (const HelperVerdict verdict = connect(); verdict.is_drop()) return verdict;
            return restore_client_id(message, kCallId);
        case PptpType::CallDisconnectNotify:
            if (message.id_at(kCallId) == state_.pac_call_id) disconnect();
            return HelperVerdict::accept();
        case PptpType::WanErrorNotify:
        case PptpType::SetLinkInfo:
            return restore_client_id(message, kCallId);
        default:
            return HelperVerdict::accept();
    }
}

Expectation Control::expect_gre(Direction direction, be16 source_key, be16 call_id) const noexcept {
    const Tuple& master = input_.tuple(direction);
    const Tuple& other = input_.tuple(opposite(direction));
    Expectation expectation;
    expectation.tuple.family = master.family;
    expectation.tuple.protocol = ip_protocol::kGre;
    expectation.tuple.src = master.src;
    expectation.tuple.dst = master.dst;
    expectation.tuple.src_port = source_key;
    expectation.tuple.dst_port = call_id;
    expectation.deadline = host_.now() + ticks_of_seconds(kClasses[0].timeout_s);
    expectation.direction = direction;
    expectation.group = kBothDirections;
    if (!input_.is_translated) return expectation;
    expectation.flags = expectation_flag::kTranslated;
    expectation.translation.source = other.dst;
    expectation.translation.destination = other.src;
    if (direction == Direction::Original)
        expectation.translation.source_port = state_.pns_call_id;
    else
        expectation.translation.destination_port = state_.pns_original_call_id;
    return expectation;
}

HelperVerdict Control::connect() noexcept {
    std::array<Expectation, 2> calls = {
        expect_gre(Direction::Original, state_.pns_original_call_id, state_.pac_call_id),
        expect_gre(Direction::Reply, state_.pac_call_id, state_.pns_call_id)};
    const ExpectOutcome outcome = host_.expect(calls);
    if (outcome == ExpectOutcome::Busy || outcome == ExpectOutcome::Already)
        return HelperVerdict::dropped(HelperDrop::NoPort);
    if (outcome != ExpectOutcome::Added) return HelperVerdict::dropped(HelperDrop::NoRoom);
    if (host_.map_gre_key(calls[0].tuple) && host_.map_gre_key(calls[1].tuple))
        return HelperVerdict::accept();
    host_.forget_gre_keys();
    host_.forget_expectations(UINT32_MAX);
    return HelperVerdict::dropped(HelperDrop::NoRoom);
}

void Control::disconnect() noexcept {
    host_.forget_expectations(UINT32_MAX);
    host_.forget_gre_keys();
    host_.end_flow(
        expect_gre(Direction::Original, state_.pns_original_call_id, state_.pac_call_id).tuple);
    set(PptpCall::None);
}

HelperVerdict inspect(HelperInput& input, HelperHost& host) noexcept {
    if (!input.is_established) return HelperVerdict::accept();
    Control control(input, host);
    const auto size = static_cast<uint32_t>(input.payload.size());
    for (uint32_t at = 0; size - at >= kHeader;) {
        const uint8_t* bytes = input.payload.data() + at;
        const uint32_t length = load_host16(bytes);
        const uint16_t type = load_host16(bytes + kType);
        if (length > size - at || load_host16(bytes + 2) != kControlMessage ||
            load_host32(bytes + 4) != kMagicCookie || type >= kLengths.size() ||
            kLengths[type] == 0 || length != kLengths[type])
            break;
        const HelperVerdict verdict = control.take({bytes, at, static_cast<PptpType>(type)});
        if (verdict.is_drop()) return verdict;
        at += length;
    }
    return HelperVerdict::accept();
}

}  // namespace

const Helper kPptpHelper = {"pptp", helper_number::kPptp, true, false, false, kClasses, inspect};

}  // namespace rampart
