// IRC: a client offers another one a direct connection, DCC, by a message through the server.
//
// As Linux's nf_conntrack_irc.c, stricter where clients were tricked (CVE-2002-0060,
// CVE-2022-2663): only PRIVMSG at the beginning of a line, in a stream that began as IRC; only the
// sender's own address and no privileged port.
#include "conntrack/helpers/ascii.h"
#include "conntrack/helpers/helpers.h"
#include "conntrack/helpers/line_stream.h"
#include "packet/packet.h"

namespace rampart {
namespace {

// Linux allows 8; one connection may have four pinholes at a time here.
constexpr ExpectClass kClasses[] = {{"dcc", 4, 300}};
constexpr uint16_t kFirstUnprivileged = 1024;
constexpr std::string_view kCommands[] = {
    "CAP",  "PASS", "NICK",  "USER", "WEBIRC", "PING", "PONG", "PRIVMSG", "NOTICE", "JOIN",
    "MODE", "WHO",  "WHOIS", "QUIT", "PART",   "ISON", "AWAY", "TOPIC",   "LIST",   "AUTHENTICATE"};
constexpr std::string_view kDccTypes[] = {"SEND ", "CHAT ", "MOVE ", "TSEND ", "SCHAT "};

StreamKind judge(std::string_view begin) noexcept {
    size_t length = 0;
    while (length < begin.size() && is_letter(begin[length]))
        ++length;
    const bool is_cut = length == begin.size();
    if (is_cut && length < sizeof(StreamOpening::bytes)) return StreamKind::Undecided;
    for (const std::string_view command : kCommands) {
        const bool is_it = is_cut ? starts_no_case(command, begin)
                                  : equals_no_case(begin.substr(0, length), command);
        if (is_it) return StreamKind::Ours;
    }
    return StreamKind::Foreign;
}

struct DccOffer {
    uint32_t address = 0;
    uint32_t port = 0;
    uint32_t offset = 0;  // of address and port, in the segment
    uint32_t length = 0;
};

// PRIVMSG target :\1DCC TYPE argument address port ... in one line.
bool read_offer(std::string_view line, uint32_t line_offset, DccOffer& offer) noexcept {
    if (!starts_no_case(line, "PRIVMSG ")) return false;
    const size_t message = line.find(" :");
    if (message == line.npos) return false;
    std::string_view text = line.substr(message + 2);
    constexpr std::string_view kDcc = "\1DCC ";
    if (text.substr(0, kDcc.size()) != kDcc) return false;
    text.remove_prefix(kDcc.size());
    bool is_known = false;
    for (const std::string_view type : kDccTypes) {
        if (is_known || text.substr(0, type.size()) != type) continue;
        text.remove_prefix(type.size());
        is_known = true;
    }
    const size_t argument = text.find(' ');
    if (!is_known || argument == text.npos) return false;
    text.remove_prefix(argument + 1);

    const size_t begin = line.size() - text.size();
    const auto address = take_number(text, UINT32_MAX);
    if (!address || text.empty() || text[0] != ' ') return false;
    text.remove_prefix(text.find_first_not_of(' ') == text.npos ? text.size()
                                                                : text.find_first_not_of(' '));
    const auto port = take_number(text, 65535);
    // A number that the segment's end cuts could go on.
    if (!port || text.empty()) return false;
    offer = {*address, *port, line_offset + static_cast<uint32_t>(begin),
             static_cast<uint32_t>(line.size() - text.size() - begin)};
    return true;
}

HelperVerdict expect_offer(const HelperInput& input, HelperHost& host, Announcement& announced,
                           const DccOffer& offer) noexcept {
    const uint32_t own = load_host32(input.own().src.data());
    const uint32_t as_seen = load_host32(input.other().dst.data());
    if (offer.address != own && offer.address != as_seen) return HelperVerdict::accept();
    if (offer.port < kFirstUnprivileged) return HelperVerdict::accept();
    const be16 announced_port = be16::from_host(static_cast<uint16_t>(offer.port));
    if (!is_consistent(announced, input, announced_port))
        return input.is_translated ? HelperVerdict::dropped(HelperDrop::Conflict)
                                   : HelperVerdict::detached();

    const uint16_t preferred = preferred_port(announced, input, announced_port);
    Expectation expectation =
        expect_from_peer(input, ip_protocol::kTcp, announced_port,
                         host.now() + ticks_of_seconds(kClasses[0].timeout_s));
    expectation.tuple.src = {};  // it is another client that connects
    expectation.flags |= expectation_flag::kAnySource;
    HelperDrop drop = HelperDrop::None;
    const uint16_t port =
        expect_on_free_port(expectation, preferred, input.is_translated, host, drop);
    if (port == 0) return HelperVerdict::dropped(drop);
    announced = {input.sequence, announced_port, expectation.tuple.dst_port, 1,
                 static_cast<uint8_t>(input.direction)};
    if (!input.is_translated) return HelperVerdict::accept();
    FixedText<32> text;
    text.add(as_seen).add(" ").add(uint32_t{port});
    return host.replace(offer.offset, offer.length, text.view())
               ? HelperVerdict::accept()
               : HelperVerdict::dropped(HelperDrop::NotRewritten);
}

HelperVerdict inspect(HelperInput& input, HelperHost& host) noexcept {
    if (!input.is_established || input.direction == Direction::Reply)
        return HelperVerdict::accept();
    IrcState& state = input.state.irc;
    const std::string_view text = as_text(input.payload);
    const bool is_first = state.opening.count == 0;
    switch (judge_opening(state.opening, input.sequence, text, judge)) {
        case StreamKind::Foreign:
            return HelperVerdict::detached();
        case StreamKind::Undecided:
            break;
        case StreamKind::Ours:
            if (is_first) note_line_start(state.lines, input.sequence);
            break;
    }
    HelperVerdict verdict;
    if (begins_line(state.lines, input.sequence) || is_announced_again(state.announced, input)) {
        const size_t begin = text.find_first_not_of(" \r\n");
        const size_t end = text.find_first_of("\r\n", begin);
        DccOffer offer;
        if (begin != text.npos &&
            read_offer(text.substr(begin, end == text.npos ? end : end - begin),
                       static_cast<uint32_t>(begin), offer))
            verdict = expect_offer(input, host, state.announced, offer);
    }
    if (!verdict.is_drop() && text.back() == '\n')
        note_line_start(state.lines, input.sequence + static_cast<uint32_t>(text.size()));
    return verdict;
}

}  // namespace

const Helper kIrcHelper = {"irc", helper_number::kIrc, true, false, false, kClasses, inspect};

}  // namespace rampart
