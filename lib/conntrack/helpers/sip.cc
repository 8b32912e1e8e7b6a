// SIP: calls and registrations announce where media and calls will come (RFC 3261, RFC 8866).
//
// As Linux's nf_conntrack_sip.c with its defaults: media come from the other side of the signalling
// and only to the sender itself, calls only from the registrar. Messages in a TCP stream are read
// when they are whole in one segment. Stricter: a stream or flow must begin as SIP, its messages
// are followed by their lengths, and numbers are numbers.
#include <algorithm>
#include <array>

#include "conntrack/helpers/ascii.h"
#include "conntrack/helpers/helpers.h"
#include "conntrack/helpers/line_stream.h"
#include "conntrack/helpers/sip_framing.h"
#include "conntrack/helpers/sip_rewrite.h"
#include "packet/packet.h"

namespace rampart {
namespace {

constexpr ExpectClass kClasses[] = {
    {"signalling", 1, 180}, {"audio", 4, 180}, {"video", 4, 180}, {"image", 2, 180}};
constexpr uint8_t kSignalling = 0;
constexpr uint32_t kMediaClasses = 0b1110;
constexpr uint32_t kFlowTimeout_s = 3600;
constexpr uint32_t kLongestRegistration_s = 7 * 24 * 3600;
constexpr uint16_t kFirstUnprivileged = 1024;
// Shorter datagrams keep a binding alive (RFC 5626, 4.4.1; the shortest message is longer).
constexpr size_t kShortestMessage = 11;

constexpr HelperVerdict kMalformed = HelperVerdict::dropped(HelperDrop::Malformed);
constexpr HelperVerdict kNotRewritten = HelperVerdict::dropped(HelperDrop::NotRewritten);

// What one message means.
class Inspection {
  public:
    Inspection(const HelperInput& input, HelperHost& host, const SipMessage& message,
               uint32_t offset) noexcept
        : input_(input),
          host_(host),
          message_(message),
          state_(input.state.sip),
          rewrite_(input, host, message, offset) {}

    HelperVerdict run() noexcept {
        const HelperVerdict verdict = message_.is_request ? take_request() : take_response();
        if (verdict.is_drop() || !input_.is_translated) return verdict;
        return rewrite_.replace_headers(registered_) ? verdict : kNotRewritten;
    }

  private:
    HelperVerdict take_request() noexcept;
    HelperVerdict take_response() noexcept;
    HelperVerdict take_registration() noexcept;
    HelperVerdict take_registration_answer() noexcept;
    HelperVerdict take_description() noexcept;
    HelperVerdict expect_medium(const SdpMedia& medium, const IpAddress& address) noexcept;
    HelperVerdict expect_calls(const SipEndpoint& contact, uint8_t protocol) noexcept;
    std::optional<uint32_t> lifetime_of(const SipEndpoint& contact, SipField field,
                                        uint32_t otherwise) const noexcept;
    uint8_t transport_of(const SipEndpoint& contact, SipField field) const noexcept;
    Expectation expect_at_sender(uint8_t flow_class, uint16_t port) const noexcept;
    void forget_media() noexcept { host_.forget_expectations(kMediaClasses); }

    const HelperInput& input_;
    HelperHost& host_;
    const SipMessage& message_;
    SipState& state_;
    SipRewrite rewrite_;
    SipField registered_;  // the contact that was replaced
};

HelperVerdict Inspection::take_request() noexcept {
    if (message_.method != SipMethod::Other && message_.method != SipMethod::Cancel &&
        !message_.cseq)
        return kMalformed;
    switch (message_.method) {
        case SipMethod::Invite: {
            forget_media();
            const HelperVerdict verdict = take_description();
            if (!verdict.is_drop()) state_.invite_cseq = *message_.cseq;
            return verdict;
        }
        case SipMethod::Ack:
        case SipMethod::Update:
        case SipMethod::Prack:
            return take_description();
        case SipMethod::Bye:
            forget_media();
            return HelperVerdict::accept();
        case SipMethod::Register:
            return take_registration();
        case SipMethod::Cancel:
        case SipMethod::Other:
            return HelperVerdict::accept();
    }
    return HelperVerdict::accept();
}

HelperVerdict Inspection::take_response() noexcept {
    if (!message_.cseq) return kMalformed;
    switch (message_.method) {
        case SipMethod::Invite:
        case SipMethod::Update:
        case SipMethod::Prack:
            if (message_.status < 300) return take_description();
            if (state_.invite_cseq == *message_.cseq) forget_media();
            return HelperVerdict::accept();
        case SipMethod::Register:
            return take_registration_answer();
        case SipMethod::Ack:
        case SipMethod::Bye:
        case SipMethod::Cancel:
        case SipMethod::Other:
            return HelperVerdict::accept();
    }
    return HelperVerdict::accept();
}

// Something that the other side sends to a port of the sender of this message.
Expectation Inspection::expect_at_sender(uint8_t flow_class, uint16_t port) const noexcept {
    Expectation expectation =
        expect_from_peer(input_, ip_protocol::kUdp, be16::from_host(port),
                         host_.now() + ticks_of_seconds(kClasses[flow_class].timeout_s));
    expectation.flow_class = flow_class;
    // The child's source may be another one than the signalling's when media are not direct.
    if (input_.is_translated) expectation.translation.only_source = input_.other().src;
    return expectation;
}

HelperVerdict Inspection::take_description() noexcept {
    Sdp sdp;
    switch (parse_sdp(message_.text, message_.body, sdp)) {
        case SdpParse::None:
            return HelperVerdict::accept();
        case SdpParse::Malformed:
            return kMalformed;
        case SdpParse::Found:
            break;
    }
    for (uint32_t i = 0; i < sdp.media_count; ++i) {
        const SdpMedia& medium = sdp.media[i];
        if (medium.port == 0) continue;
        const SdpAddress& address =
            medium.connection.place.is_set() ? medium.connection : sdp.connection;
        if (medium.port < kFirstUnprivileged || !address.place.is_set()) return kMalformed;
        const HelperVerdict verdict = expect_medium(medium, address.address);
        if (verdict.is_drop()) return verdict;
        if (input_.is_translated && !rewrite_.replace_sender(medium.connection))
            return kNotRewritten;
    }
    if (!input_.is_translated) return HelperVerdict::accept();
    return rewrite_.replace_sender(sdp.origin) && rewrite_.replace_sender(sdp.connection)
               ? HelperVerdict::accept()
               : kNotRewritten;
}

// RTP on an even port and RTCP on the next one (RFC 3550, 11), both or none.
HelperVerdict Inspection::expect_medium(const SdpMedia& medium, const IpAddress& address) noexcept {
    constexpr uint32_t kAttempts = 128, kLastPort = 65535;
    if (address != input_.own().src_address() || medium.port == kLastPort)
        return HelperVerdict::accept();
    const uint32_t announced = medium.port & ~1u;
    const auto flow_class = static_cast<uint8_t>(1 + static_cast<unsigned>(medium.type));
    std::array<Expectation, 2> pair = {
        expect_at_sender(flow_class, static_cast<uint16_t>(announced)),
        expect_at_sender(flow_class, static_cast<uint16_t>(announced + 1))};
    for (Expectation& expectation : pair)
        expectation.translation.is_paired = input_.is_translated;

    ExpectOutcome outcome = ExpectOutcome::Busy;
    uint32_t port = announced;
    const uint32_t attempts = input_.is_translated ? kAttempts : 1;
    for (uint32_t attempt = 0; attempt < attempts && port < kLastPort; ++attempt, port += 2) {
        pair[0].tuple.dst_port = be16::from_host(static_cast<uint16_t>(port));
        pair[1].tuple.dst_port = be16::from_host(static_cast<uint16_t>(port + 1));
        outcome = host_.expect(pair, true);
        if (outcome != ExpectOutcome::Busy) break;
    }
    const HelperVerdict verdict = HelperVerdict::of(outcome);
    if (verdict.is_drop() || port == announced) return verdict;
    return rewrite_.replace_port(medium.port_place, static_cast<uint16_t>(port)) ? verdict
                                                                                 : kNotRewritten;
}

uint8_t Inspection::transport_of(const SipEndpoint& contact, SipField field) const noexcept {
    const SipField value = find_parameter(message_.text, field, contact.place.end(), "transport");
    if (!value.is_set()) return input_.original.protocol;
    if (equals_no_case(value.in(message_.text), "udp")) return ip_protocol::kUdp;
    return equals_no_case(value.in(message_.text), "tcp") ? ip_protocol::kTcp : 0;
}

// Nothing: it cannot be read.
std::optional<uint32_t> Inspection::lifetime_of(const SipEndpoint& contact, SipField field,
                                                uint32_t otherwise) const noexcept {
    const SipField value = find_parameter(message_.text, field, contact.place.end(), "expires");
    if (!value.is_set()) return otherwise;
    std::string_view digits = value.in(message_.text);
    const auto lifetime = take_number(digits, UINT32_MAX);
    return digits.empty() ? lifetime : std::nullopt;
}

HelperVerdict Inspection::take_registration() noexcept {
    // What was announced itself registers nothing.
    if (input_.is_expected || message_.contact_count == 0) return HelperVerdict::accept();
    const SipField field = message_.contacts[0];
    SipEndpoint contact;
    switch (find_uri(message_.text, field, contact)) {
        case SipEndpointParse::None:
            return HelperVerdict::accept();
        case SipEndpointParse::Malformed:
            return kMalformed;
        case SipEndpointParse::Found:
            break;
    }
    if (contact.port < kFirstUnprivileged) return kMalformed;
    const uint8_t protocol = transport_of(contact, field);
    if (contact.address != input_.own().src_address() || protocol == 0)
        return HelperVerdict::accept();
    const auto lifetime = lifetime_of(contact, field, message_.expires.value_or(0));
    if (!lifetime) return kMalformed;
    if (*lifetime != 0) {
        const HelperVerdict verdict = expect_calls(contact, protocol);
        if (verdict.is_drop()) return verdict;
    }
    state_.register_cseq = *message_.cseq;
    return HelperVerdict::accept();
}

// Calls from the registrar, as soon as it has agreed.
HelperVerdict Inspection::expect_calls(const SipEndpoint& contact, uint8_t protocol) noexcept {
    Expectation expectation = expect_at_sender(kSignalling, contact.port);
    expectation.tuple.protocol = protocol;
    expectation.flags |= expectation_flag::kPermanent | expectation_flag::kInactive;
    expectation.child_helper = helper_number::kSip;
    if (!input_.is_translated) return HelperVerdict::of(host_.expect({&expectation, 1}));

    // Best the port that the registrar sees anyway.
    const bool is_own_port = contact.port == input_.own().src_port.host();
    const uint16_t preferred = is_own_port ? input_.other().dst_port.host() : contact.port;
    HelperDrop drop = HelperDrop::None;
    const uint16_t port = expect_on_free_port(expectation, preferred, true, host_, drop);
    if (port == 0) return HelperVerdict::dropped(drop);
    registered_ = contact.place;
    return rewrite_.replace(contact.place, input_.other().dst_address(), port)
               ? HelperVerdict::accept()
               : kNotRewritten;
}

HelperVerdict Inspection::take_registration_answer() noexcept {
    if (state_.register_cseq != *message_.cseq || message_.status < 200)
        return HelperVerdict::accept();
    const uint32_t granted = message_.expires.value_or(0);
    for (uint32_t i = 0; message_.status < 300 && i < message_.contact_count; ++i) {
        const SipField field = message_.contacts[i];
        SipEndpoint contact;
        switch (find_uri(message_.text, field, contact)) {
            case SipEndpointParse::Malformed:
                return kMalformed;
            case SipEndpointParse::None:
                continue;
            case SipEndpointParse::Found:
                break;
        }
        const uint8_t protocol = transport_of(contact, field);
        if (contact.address != input_.own().dst_address() || protocol == 0) continue;
        const auto lifetime = lifetime_of(contact, field, granted);
        if (!lifetime) return kMalformed;
        if (*lifetime == 0) break;
        Tuple destination = input_.own();
        destination.dst_port = be16::from_host(contact.port);
        destination.protocol = protocol;
        const Tick until =
            host_.now() + ticks_of_seconds(std::min(*lifetime, kLongestRegistration_s));
        if (host_.activate(kSignalling, destination, until)) return HelperVerdict::accept();
    }
    host_.forget_expectations(1u << kSignalling);
    return HelperVerdict::accept();
}

HelperVerdict inspect_stream(HelperInput& input, HelperHost& host) noexcept {
    if (!input.is_established) return HelperVerdict::accept();
    std::string_view text = as_text(input.payload);
    SipFraming& framing = input.state.sip.framing[static_cast<unsigned>(input.direction)];
    switch (follow(framing, input.sequence, text)) {
        case SipSegment::Foreign:
            return HelperVerdict::detached();
        case SipSegment::OutOfOrder:
            return HelperVerdict::dropped(HelperDrop::OutOfOrder);
        case SipSegment::Inside:
            host.set_timeout(ticks_of_seconds(kFlowTimeout_s));
            return HelperVerdict::accept();
        case SipSegment::Message:
            break;
    }
    host.set_timeout(ticks_of_seconds(kFlowTimeout_s));
    while (true) {
        text.remove_prefix(std::min(text.find_first_not_of("\r\n"), text.size()));
        SipMessage message;
        switch (text.empty() ? SipParse::Incomplete : parse_sip(text, message)) {
            case SipParse::Incomplete:
                return HelperVerdict::accept();
            case SipParse::Foreign:
            case SipParse::Hostile:
                return HelperVerdict::detached();
            case SipParse::Malformed:
                return kMalformed;
            case SipParse::Whole:
                break;
        }
        // Where it ends is not said: the rest of the stream cannot be read.
        if (!message.has_content_length) return HelperVerdict::accept();
        const auto offset = static_cast<uint32_t>(input.payload.size() - text.size());
        const HelperVerdict verdict = Inspection(input, host, message, offset).run();
        if (verdict.is_drop()) return verdict;
        text.remove_prefix(message.text.size());
    }
}

HelperVerdict inspect_datagram(HelperInput& input, HelperHost& host) noexcept {
    if (input.payload.size() < kShortestMessage) return HelperVerdict::accept();
    SipMessage message;
    switch (parse_sip(as_text(input.payload), message)) {
        case SipParse::Foreign:
            return input.state.sip.is_sip ? HelperVerdict::accept() : HelperVerdict::detached();
        case SipParse::Hostile:
            return HelperVerdict::detached();
        case SipParse::Incomplete:
        case SipParse::Malformed:
            return kMalformed;
        case SipParse::Whole:
            break;
    }
    input.state.sip.is_sip = 1;
    host.set_timeout(ticks_of_seconds(kFlowTimeout_s));
    return Inspection(input, host, message, 0).run();
}

HelperVerdict inspect(HelperInput& input, HelperHost& host) noexcept {
    return input.original.protocol == ip_protocol::kTcp ? inspect_stream(input, host)
                                                        : inspect_datagram(input, host);
}

}  // namespace

const Helper kSipHelper = {"sip", helper_number::kSip, true, true, true, kClasses, inspect};

}  // namespace rampart
