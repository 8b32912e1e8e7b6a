// IpfixEncoder: makes IPFIX messages (RFC 7011) of flow events, by libfixbuf, in memory.
//
// One encoder is one transport session: its templates and its sequence numbers. Records are put
// into a message until it is full or flush() is called; then the sink gets it, whole, with the
// number of data records in it. Nothing is sent here. Control thread only.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>

#include "base/result.h"
#include "control/flow_export/ipfix_record.h"

namespace rampart {

class IpfixEncoder {
  public:
    // With the headers of UDP and IPv6 it fits into the 1280 bytes that every link carries.
    static constexpr size_t kMessageBytes = 1232;

    using Sink = std::function<void(std::span<const uint8_t> message, uint32_t records)>;

    // `with_new`, `with_end`: which events will come, and so which templates there are.
    static Result<std::unique_ptr<IpfixEncoder>> create(uint32_t domain, bool with_new,
                                                        bool with_end, Sink sink);
    ~IpfixEncoder();
    IpfixEncoder(const IpfixEncoder&) = delete;
    IpfixEncoder& operator=(const IpfixEncoder&) = delete;

    // Templates must come before the records that need them; over UDP from time to time again.
    void add_templates();
    void add(const FlowEvent& event);
    void flush();

  private:
    struct Library;
    IpfixEncoder(std::unique_ptr<Library> library, Sink sink);
    // Makes room by sending what there is when `write` finds the message full. False: told why.
    template <typename Write>
    bool put(Write write);

    std::array<uint8_t, kMessageBytes> message_{};
    std::unique_ptr<Library> library_;
    Sink sink_;
    uint32_t records_ = 0;  // data records in the present message
    bool is_empty_ = true;  // nothing at all in it
};

}  // namespace rampart
