// Fuzz target of what reads TCP options: those of a SYN, and the SACK blocks of later segments by
// way of the window check.
//
// The input: a byte of choices, then up to 40 bytes of options. The header stands in a buffer of
// exactly its size, so that the address sanitizer sees every byte read too much.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "base/endian.h"
#include "conntrack/trackers/tcp_window.h"

namespace {

using namespace rampart;

constexpr size_t kMaxOptions = 40;

void check(bool condition) {
    if (!condition) std::abort();
}

TcpSegment segment_of(uint8_t* header, size_t size, uint8_t flags) {
    store(header + 4, be32::from_host(1000));
    store(header + 8, be32::from_host(5000));
    header[12] = static_cast<uint8_t>(size / 4 << 4);
    header[13] = flags;
    store(header + 14, be16::from_host(65535));
    Packet packet;
    packet.frame = header;
    packet.frame_contiguous = packet.l4_length = static_cast<uint16_t>(size);
    packet.l4_offset = 0;
    return read_segment(packet);
}

void look_at_syn(const TcpSegment& segment) {
    const TcpSynOptions options = read_syn_options(segment);
    check(options.scale <= 14);
    check(!(options.flags & ~(tcp_side::kWindowScale | tcp_side::kSackPermitted)));
    check(options.scale == 0 || options.flags & tcp_side::kWindowScale);
    TcpFlow tcp;
    begin_window(tcp, segment);
    check(tcp.side[0].end == 1001 && tcp.scale[0] == options.scale);
}

// A SACK moves no more than the peer's right edge, which never goes back.
void look_at_ack(const TcpSegment& segment, bool is_sack_permitted) {
    TcpFlow tcp;
    tcp.side[0] = {1000, 70000, 65535, 5000};
    tcp.side[1] = {8000, 70000, 65535, 1000};
    if (is_sack_permitted) tcp.flags[1] = tcp_side::kSackPermitted;
    const TcpFlow before = tcp;
    const WindowResult result =
        check_window(tcp, Direction::Original, TcpState::Established, segment, false);
    if (result != WindowResult::Accept)
        return check(std::memcmp(&before.side, &tcp.side, sizeof(tcp.side)) == 0);
    check(!is_after(before.side[1].max_end, tcp.side[1].max_end));
    check(!is_after(tcp.side[1].max_end, 8000 + 65535));
    check(tcp.side[1].end == before.side[1].end);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size == 0) return 0;
    const uint8_t choices = data[0];
    const size_t options = std::min((size - 1) / 4 * 4, kMaxOptions);
    const std::unique_ptr<uint8_t[]> header(new uint8_t[20 + options]());
    std::copy_n(data + 1, options, header.get() + 20);
    look_at_syn(segment_of(header.get(), 20 + options, tcp_flag::kSyn));
    look_at_ack(segment_of(header.get(), 20 + options, tcp_flag::kAck), choices & 1);
    return 0;
}
