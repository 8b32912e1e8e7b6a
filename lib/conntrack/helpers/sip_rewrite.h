// SipRewrite: makes a SIP message tell the other side addresses that it can reach.
//
// One object per message and packet, on the worker's stack. What the flow does not translate is
// left alone. Source: Linux, nf_nat_sip.c.
#pragma once

#include "conntrack/helpers/helper.h"
#include "conntrack/helpers/sdp.h"
#include "conntrack/helpers/sip_message.h"

namespace rampart {

class SipRewrite {
  public:
    // `offset`: of the message in the payload.
    SipRewrite(const HelperInput& input, HelperHost& host, const SipMessage& message,
               uint32_t offset) noexcept
        : input_(input), host_(host), message_(message), offset_(offset) {}

    // False, here and below: it does not fit.
    bool replace(SipField place, std::string_view text) noexcept;
    bool replace(SipField place, const IpAddress& address, uint16_t port) noexcept;
    bool replace_port(SipField place, uint16_t port) noexcept;
    // The sender's address in a session description.
    bool replace_sender(const SdpAddress& address) noexcept;
    // Request URI, topmost Via with its parameters, From, To and all contacts but the one at
    // `done`, which has been replaced already; and Content-Length at last.
    bool replace_headers(SipField done) noexcept;

  private:
    bool replace_endpoint(const SipEndpoint& endpoint) noexcept;
    bool replace_uri(SipField field) noexcept;
    bool replace_via() noexcept;
    bool replace_via_parameters(uint32_t from) noexcept;
    bool replace_content_length() noexcept;

    const HelperInput& input_;
    HelperHost& host_;
    const SipMessage& message_;
    uint32_t offset_;
    int32_t body_growth_ = 0;
};

}  // namespace rampart
