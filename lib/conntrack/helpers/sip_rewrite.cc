#include "conntrack/helpers/sip_rewrite.h"

#include "conntrack/helpers/ascii.h"

namespace rampart {

bool SipRewrite::replace(SipField place, std::string_view text) noexcept {
    if (place.offset >= message_.body.offset)
        body_growth_ += static_cast<int32_t>(text.size()) - static_cast<int32_t>(place.length);
    return host_.replace(offset_ + place.offset, place.length, text);
}

bool SipRewrite::replace(SipField place, const IpAddress& address, uint16_t port) noexcept {
    const bool is_bracketed = address.family == Family::Ipv6;
    FixedText<64> text;
    text.add(is_bracketed ? "[" : "").add(address).add(is_bracketed ? "]:" : ":");
    text.add(uint32_t{port});
    return replace(place, text.view());
}

bool SipRewrite::replace_port(SipField place, uint16_t port) noexcept {
    return replace(place, FixedText<8>().add(uint32_t{port}).view());
}

bool SipRewrite::replace_sender(const SdpAddress& address) noexcept {
    if (!address.place.is_set() || address.address != input_.own().src_address()) return true;
    return replace(address.place, FixedText<48>().add(input_.other().dst_address()).view());
}

bool SipRewrite::replace_endpoint(const SipEndpoint& endpoint) noexcept {
    const Tuple& own = input_.own();
    const Tuple& other = input_.other();
    IpAddress address;
    be16 port;
    if (endpoint.address == own.src_address() && endpoint.port == own.src_port.host()) {
        address = other.dst_address();
        port = other.dst_port;
    } else if (endpoint.address == own.dst_address() && endpoint.port == own.dst_port.host()) {
        address = other.src_address();
        port = other.src_port;
    } else {
        return true;
    }
    if (address == endpoint.address && port.host() == endpoint.port) return true;
    return replace(endpoint.place, address, port.host());
}

bool SipRewrite::replace_uri(SipField field) noexcept {
    SipEndpoint endpoint;
    if (!field.is_set() || find_uri(message_.text, field, endpoint) != SipEndpointParse::Found)
        return true;
    return replace_endpoint(endpoint);
}

bool SipRewrite::replace_via() noexcept {
    SipEndpoint endpoint;
    if (!message_.via.is_set() ||
        find_via(message_.text, message_.via, endpoint) != SipEndpointParse::Found)
        return true;
    // A request was sent by the one who sends it; a response goes back to the one it names.
    const Tuple& own = input_.own();
    const IpAddress named = message_.is_request ? own.src_address() : own.dst_address();
    const be16 port = message_.is_request ? own.src_port : own.dst_port;
    if (endpoint.address != named || endpoint.port != port.host()) return true;
    return replace_endpoint(endpoint) && replace_via_parameters(endpoint.place.end());
}

// Where replies go (maddr), and where the request came from (received, RFC 3261; rport, RFC 3581).
bool SipRewrite::replace_via_parameters(uint32_t from) noexcept {
    const Tuple& own = input_.own();
    const Tuple& other = input_.other();
    const std::string_view text = message_.text;
    const auto replace_address = [&](std::string_view name, const IpAddress& old_address,
                                     const IpAddress& new_address) {
        const SipField value = find_parameter(text, message_.via, from, name);
        if (!value.is_set() || IpAddress::parse(value.in(text)) != old_address) return true;
        return replace(value, FixedText<48>().add(new_address).view());
    };
    if (!replace_address("maddr", own.src_address(), other.dst_address()) ||
        !replace_address("received", own.dst_address(), other.src_address()))
        return false;
    const SipField value = find_parameter(text, message_.via, from, "rport");
    std::string_view digits = value.in(text);
    if (!value.is_set() || take_number(digits, 65535) != own.dst_port.host()) return true;
    return replace_port(value, other.src_port.host());
}

bool SipRewrite::replace_content_length() noexcept {
    if (body_growth_ == 0 || !message_.has_content_length) return true;
    const auto length =
        static_cast<uint32_t>(static_cast<int32_t>(message_.body.length) + body_growth_);
    return replace(message_.content_length, FixedText<12>().add(length).view());
}

bool SipRewrite::replace_headers(SipField done) noexcept {
    if (!replace_uri(message_.request_uri) || !replace_via() || !replace_uri(message_.from) ||
        !replace_uri(message_.to))
        return false;
    for (uint32_t i = 0; i < message_.contact_count; ++i) {
        const SipField contact = message_.contacts[i];
        if (done.is_set() && done.offset >= contact.offset && done.offset < contact.end()) continue;
        if (!replace_uri(contact)) return false;
    }
    return replace_content_length();
}

}  // namespace rampart
