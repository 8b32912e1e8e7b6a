// FTP: the address and port of a data connection, announced by either side (RFC 959, RFC 2428).
//
// Follows Linux's nf_conntrack_ftp.c and nf_nat_ftp.c: only segments that begin a line are read,
// and one that ends within an announcement is dropped, so that it comes again whole. Stricter in
// what it opens: no privileged port, no announcement that could not be one of a sane client, and
// nothing at all when the stream did not begin as FTP, or once it is encrypted.
#include "conntrack/helpers/ascii.h"
#include "conntrack/helpers/ftp_text.h"
#include "conntrack/helpers/helpers.h"
#include "conntrack/helpers/line_stream.h"
#include "packet/packet.h"

namespace rampart {
namespace {

constexpr ExpectClass kClasses[] = {{"data", 1, 300}};
constexpr uint16_t kFirstUnprivileged = 1024;

FixedText<64> text_of(const FtpAnnouncement& announcement, const IpAddress& address,
                      uint16_t port) noexcept {
    FixedText<64> text;
    switch (announcement.form) {
        case FtpForm::Port:
        case FtpForm::Pasv:
            for (size_t i = 0; i < 4; ++i)
                text.add(uint32_t{address.bytes[i]}).add(",");
            text.add(uint32_t{port} >> 8).add(",").add(uint32_t{port} & 0xff);
            break;
        case FtpForm::Eprt:
            text.add(address.family == Family::Ipv4 ? "|1|" : "|2|").add(address);
            text.add("|").add(uint32_t{port}).add("|");
            break;
        case FtpForm::Epsv:
            text.add("|||").add(uint32_t{port}).add("|");
            break;
    }
    return text;
}

HelperVerdict expect_data(const HelperInput& input, HelperHost& host, Announcement& announced,
                          const FtpAnnouncement& announcement) noexcept {
    const bool has_address = announcement.form != FtpForm::Epsv;
    if (has_address && announcement.address != input.own().src_address())
        return HelperVerdict::accept();
    if (announcement.port.host() < kFirstUnprivileged) return HelperVerdict::accept();
    if (!is_consistent(announced, input, announcement.port))
        return input.is_translated ? HelperVerdict::dropped(HelperDrop::Conflict)
                                   : HelperVerdict::detached();

    const uint16_t preferred = preferred_port(announced, input, announcement.port);
    Expectation expectation =
        expect_from_peer(input, ip_protocol::kTcp, announcement.port,
                         host.now() + ticks_of_seconds(kClasses[0].timeout_s));
    HelperDrop drop = HelperDrop::None;
    const uint16_t port =
        expect_on_free_port(expectation, preferred, input.is_translated, host, drop);
    if (port == 0) return HelperVerdict::dropped(drop);
    announced = {input.sequence, announcement.port, expectation.tuple.dst_port, 1,
                 static_cast<uint8_t>(input.direction)};
    if (!input.is_translated) return HelperVerdict::accept();

    const auto text = text_of(announcement, input.other().dst_address(), port);
    if (!host.replace(announcement.offset, announcement.length, text.view())) {
        host.forget_expectations(UINT32_MAX);
        return HelperVerdict::dropped(HelperDrop::NotRewritten);
    }
    return HelperVerdict::accept();
}

HelperVerdict read_line(const HelperInput& input, HelperHost& host, FtpState& state) noexcept {
    FtpAnnouncement announcement;
    switch (read_ftp_line(as_text(input.payload), input.direction, announcement)) {
        case FtpText::Other:
            return HelperVerdict::accept();
        case FtpText::Incomplete:
            return HelperVerdict::dropped(HelperDrop::Incomplete);
        case FtpText::Malformed:
        case FtpText::EndOfText:
            return HelperVerdict::detached();
        case FtpText::Announced:
            return expect_data(input, host, state.announced, announcement);
    }
    return HelperVerdict::accept();
}

HelperVerdict inspect(HelperInput& input, HelperHost& host) noexcept {
    if (!input.is_established) return HelperVerdict::accept();
    FtpState& state = input.state.ftp;
    const auto side = static_cast<unsigned>(input.direction);
    const auto judge = side == 0 ? judge_ftp_client : judge_ftp_server;
    const std::string_view text = as_text(input.payload);
    if (judge_opening(state.opening[side], input.sequence, text, judge) == StreamKind::Foreign)
        return HelperVerdict::detached();

    HelperVerdict verdict;
    if (begins_line(state.lines[side], input.sequence) ||
        is_announced_again(state.announced, input))
        verdict = read_line(input, host, state);
    if (!verdict.is_drop() && text.back() == '\n')
        note_line_start(state.lines[side],
                        input.sequence + static_cast<uint32_t>(input.payload.size()));
    return verdict;
}

}  // namespace

const Helper kFtpHelper = {"ftp", helper_number::kFtp, true, false, true, kClasses, inspect};

}  // namespace rampart
