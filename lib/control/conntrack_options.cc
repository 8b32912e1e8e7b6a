#include "control/conntrack_options.h"

#include <algorithm>
#include <iterator>
#include <optional>

#include <fmt/format.h>

#include "base/scalar.h"
#include "control/conntrack_check.h"
#include "control/conntrack_names.h"
#include "control/conntrack_option_table.h"
#include "control/conntrack_values.h"
#include "packet/packet.h"

namespace rampart {
namespace {

namespace opt = conntrack_option;

ConntrackCommand command_of(char letter) noexcept {
    switch (letter) {
        case 'L':
            return ConntrackCommand::List;
        case 'G':
            return ConntrackCommand::Get;
        case 'D':
            return ConntrackCommand::Delete;
        case 'F':
            return ConntrackCommand::Flush;
        case 'C':
            return ConntrackCommand::Count;
        case 'S':
            return ConntrackCommand::Statistics;
        case 'E':
            return ConntrackCommand::Events;
        case 'V':
            return ConntrackCommand::Version;
        case 'h':
            return ConntrackCommand::Help;
        default:
            return ConntrackCommand::None;
    }
}

// One pass of getopt over the words. Each step returns what is wrong, or an empty string.
class Parser {
  public:
    explicit Parser(const std::vector<std::string>& arguments) : words_(arguments) {
        words_.insert(words_.begin(), "conntrack");
        for (std::string& word : words_)
            argv_.push_back(word.data());
        argv_.push_back(nullptr);
        long_.assign(opt::common_options().begin(), opt::common_options().end());
        long_.push_back({});
    }

    tl::expected<ConntrackOptions, CommandOutput> run();

  private:
    std::string read_all();
    std::string take(int code);
    std::string take_command(char letter);
    std::string take_option(opt::Option option);
    std::string take_protocol_field(opt::ProtocolField field);
    std::string take_protocol();
    std::string take_family();
    std::string take_address(std::optional<AddressCondition>& into, bool may_have_prefix,
                             opt::Option option);
    std::string take_mask(AddressBytes& into);
    std::string take_nat(std::optional<NatCondition>& into);
    std::string take_zone(std::optional<uint16_t>& into);
    std::string take_outputs();
    std::string take_events();
    std::string take_mark();
    std::string set_family(Family family);

    int argc() const noexcept { return static_cast<int>(words_.size()); }
    bool has(opt::Option option) const noexcept { return given_.has(option); }

    std::vector<std::string> words_;
    std::vector<char*> argv_;
    std::vector<option> long_;
    ConntrackOptions options_;
    char command_ = 0;
    ConntrackGiven given_;
    uint32_t outputs_ = 0;
};

std::string Parser::read_all() {
    optind = 0;  // glibc: start anew
    opterr = 0;
    for (;;) {
        const int code = getopt_long(argc(), argv_.data(), opt::kLetters, long_.data(), nullptr);
        if (code == -1) return {};
        const char* word = argv_[static_cast<size_t>(optind) - 1];
        if (code == '?') return fmt::format("unknown option `{}'", word);
        if (code == ':') return fmt::format("option `{}' requires an argument", word);
        if (std::string problem = take(opt::option_of_letter(code)); !problem.empty())
            return problem;
    }
}

std::string Parser::take(int code) {
    if (code == opt::kYes) return {};
    if (code == opt::kLabel) return fmt::format("unknown label '{}'", optarg ? optarg : "");
    if (code >= opt::kProtocolBase)
        return take_protocol_field(static_cast<opt::ProtocolField>(code - opt::kProtocolBase));
    if (code >= opt::kOptionBase)
        return take_option(static_cast<opt::Option>(code - opt::kOptionBase));
    return take_command(static_cast<char>(code));
}

std::string Parser::take_command(char letter) {
    if (command_ != 0) return "Invalid commands combination";
    if (command_of(letter) == ConntrackCommand::None)
        return fmt::format("-{} is not available: flows are made by packets", letter);
    command_ = letter;
    options_.command = command_of(letter);
    if (optind >= argc() || argv_[static_cast<size_t>(optind)][0] == '-') return {};
    constexpr std::string_view kTables[] = {"conntrack", "expect", "dying", "unconfirmed"};
    const std::string_view word = argv_[static_cast<size_t>(optind)];
    const auto found = std::find(std::begin(kTables), std::end(kTables), word);
    if (found == std::end(kTables)) return fmt::format("unknown type `{}'", word);
    options_.table = static_cast<ConntrackTable>(found - std::begin(kTables));
    const bool is_partial =
        options_.table == ConntrackTable::Dying || options_.table == ConntrackTable::Unconfirmed;
    if (is_partial && letter != 'L')
        return "Can't do that command with tables `dying' and `unconfirmed'";
    return {};
}

std::string Parser::take_option(opt::Option option) {
    given_.options |= 1u << option;
    FlowFilter& filter = options_.filter;
    switch (option) {
        case opt::Src:
            return take_address(filter.src, true, option);
        case opt::Dst:
            return take_address(filter.dst, true, option);
        case opt::ReplySrc:
            return take_address(filter.reply_src, false, option);
        case opt::ReplyDst:
            return take_address(filter.reply_dst, false, option);
        case opt::MaskSrc:
            return take_mask(given_.mask_src.emplace());
        case opt::MaskDst:
            return take_mask(given_.mask_dst.emplace());
        case opt::Protocol:
            return take_protocol();
        case opt::Status:
            return read_status_words(optarg, options_);
        case opt::EventMask:
            return take_events();
        case opt::Mark:
            return take_mark();
        case opt::Id:
            return read_number(optarg, "id", UINT32_MAX, filter.id);
        case opt::Family:
            return take_family();
        case opt::SrcNat:
            return take_nat(filter.src_nat);
        case opt::DstNat:
            return take_nat(filter.dst_nat);
        case opt::AnyNat:
            return take_nat(filter.any_nat);
        case opt::Output:
            return take_outputs();
        case opt::Zone:
            return take_zone(filter.zone);
        case opt::OrigZone:
            return take_zone(filter.orig_zone);
        case opt::ReplyZone:
            return take_zone(filter.reply_zone);
        case opt::Zero:
            options_.zero = true;
            break;
        case opt::Timeout:
        case opt::TupleSrc:
        case opt::TupleDst:
        case opt::Secmark:
        case opt::BufferSize:
        case opt::kCount:
            break;
    }
    return {};
}

std::string Parser::take_protocol_field(opt::ProtocolField field) {
    FlowFilter& filter = options_.filter;
    switch (field) {
        case opt::SrcPort:
            return read_number(optarg, "port", 65535, filter.src_port);
        case opt::DstPort:
            return read_number(optarg, "port", 65535, filter.dst_port);
        case opt::ReplySrcPort:
            return read_number(optarg, "port", 65535, filter.reply_src_port);
        case opt::ReplyDstPort:
            return read_number(optarg, "port", 65535, filter.reply_dst_port);
        case opt::IcmpType:
            return read_number(optarg, "ICMP type", 255, filter.icmp_type);
        case opt::IcmpCode:
            return read_number(optarg, "ICMP code", 255, filter.icmp_code);
        case opt::IcmpId:
            return read_number(optarg, "ICMP id", 65535, filter.src_port);
        case opt::SrcKey:
            return read_number(optarg, "key", 65535, filter.src_port);
        case opt::DstKey:
            return read_number(optarg, "key", 65535, filter.dst_port);
        case opt::ReplySrcKey:
            return read_number(optarg, "key", 65535, filter.reply_src_port);
        case opt::ReplyDstKey:
            return read_number(optarg, "key", 65535, filter.reply_dst_port);
        case opt::State:
            break;
    }
    filter.state = parse_state(*filter.protocol, optarg);
    if (filter.state) return {};
    return fmt::format("unknown {} state `{}'",
                       *filter.protocol == ip_protocol::kTcp ? "TCP" : "SCTP", optarg);
}

// From here on getopt knows the options of the protocol.
std::string Parser::take_protocol() {
    const auto protocol = parse_conntrack_protocol(optarg);
    if (!protocol) return fmt::format("`{}' unsupported protocol", optarg);
    options_.filter.protocol = *protocol;
    const auto further = opt::protocol_options(*protocol);
    long_.insert(long_.end() - 1, further.begin(), further.end());
    return {};
}

std::string Parser::take_family() {
    if (std::string_view(optarg) == "ipv4") return set_family(Family::Ipv4);
    if (std::string_view(optarg) == "ipv6") return set_family(Family::Ipv6);
    return fmt::format("`{}' unsupported protocol", optarg);
}

std::string Parser::set_family(Family family) {
    if (options_.filter.family.value_or(family) != family) return "mismatched address family";
    options_.filter.family = family;
    return {};
}

std::string Parser::take_address(std::optional<AddressCondition>& into, bool may_have_prefix,
                                 opt::Option option) {
    Family family = Family::None;
    bool has_prefix = false;
    std::string problem = read_address(optarg, into.emplace(), family, has_prefix);
    if (!problem.empty()) return problem;
    if (has_prefix && !may_have_prefix)
        return fmt::format("CIDR notation unavailable for `--{}'", opt::name_of(option));
    if (has_prefix) given_.options |= 1u << (option == opt::Src ? opt::MaskSrc : opt::MaskDst);
    return set_family(family);
}

std::string Parser::take_mask(AddressBytes& into) {
    const auto mask = IpAddress::parse(optarg);
    if (!mask) return fmt::format("Invalid IP address `{}'", optarg);
    into = mask->bytes;
    return set_family(mask->family);
}

std::string Parser::take_nat(std::optional<NatCondition>& into) {
    const char* word = optarg;
    if (word == nullptr && optind < argc() && argv_[static_cast<size_t>(optind)][0] != '-')
        word = argv_[static_cast<size_t>(optind++)];
    into.emplace();
    if (word == nullptr) return {};
    if (std::string problem = read_nat_target(word, *into); !problem.empty()) return problem;
    return into->address ? set_family(into->address->family) : std::string();
}

std::string Parser::take_zone(std::optional<uint16_t>& into) {
    return read_number(optarg, "zone", 65535, into);
}

std::string Parser::take_outputs() {
    return read_words(optarg, [this](std::string_view word) {
        ConntrackFormat& format = options_.format;
        ++outputs_;
        if (is_word(word, "xml"))
            format.form = FlowForm::Xml;
        else if (is_word(word, "extended"))
            format.extended = true;
        else if (is_word(word, "timestamp"))
            format.timestamp = true;
        else if (is_word(word, "id"))
            format.id = true;
        else if (is_word(word, "ktimestamp"))
            format.ktimestamp = true;
        else if (is_word(word, "save"))
            format.form = FlowForm::Save;
        else if (is_word(word, "json"))
            format.form = FlowForm::JsonText;
        else
            return is_word(word, "labels") || is_word(word, "userspace");
        return true;
    });
}

std::string Parser::take_events() {
    if (has(opt::EventMask) && options_.events == conntrack_event::kAll) options_.events = 0;
    return read_words(optarg, [this](std::string_view word) {
        if (is_word(word, "ALL"))
            options_.events |= conntrack_event::kAll;
        else if (is_word(word, "NEW"))
            options_.events |= conntrack_event::kNew;
        else if (is_word(word, "UPDATES"))
            options_.events |= conntrack_event::kUpdate;
        else if (is_word(word, "DESTROY"))
            options_.events |= conntrack_event::kDestroy;
        else
            return false;
        return true;
    });
}

std::string Parser::take_mark() {
    const std::string_view word = optarg;
    const size_t slash = word.find('/');
    const auto value = parse_hex_or_decimal(word.substr(0, slash));
    const auto mask = slash == word.npos ? std::optional<uint32_t>(UINT32_MAX)
                                         : parse_hex_or_decimal(word.substr(slash + 1));
    if (!value || !mask) return fmt::format("mark '{}' is not valid", word);
    options_.filter.mark = *value;
    options_.filter.mark_mask = *mask;
    return {};
}

tl::expected<ConntrackOptions, CommandOutput> Parser::run() {
    if (words_.size() == 1) options_.command = ConntrackCommand::Help;
    std::string problem = read_all();
    if (problem.empty()) problem = check_conntrack_options(command_, given_, options_);
    if (!problem.empty()) {
        CommandOutput output = conntrack_usage_error(problem);
        output.err.insert(0, options_.remarks);
        return tl::unexpected<CommandOutput>(std::move(output));
    }
    if (options_.format.form == FlowForm::Save && outputs_ > 1)
        return tl::unexpected<CommandOutput>(CommandOutput::failed(
            exit_code::kFailure, conntrack_remark("cannot combine save output with any other "
                                                  "output type, use -o save only")));
    return std::move(options_);
}

}  // namespace

tl::expected<ConntrackOptions, CommandOutput> parse_conntrack_options(
    const std::vector<std::string>& arguments) {
    return Parser(arguments).run();
}

CommandOutput conntrack_usage_error(const std::string& text) {
    return CommandOutput::failed(
        exit_code::kUsage, conntrack_remark(text) +
                               "Try `conntrack -h' or 'conntrack --help' for more information.\n");
}

std::string conntrack_remark(const std::string& text) {
    return fmt::format("{}{}\n", kConntrackPrefix, text);
}

}  // namespace rampart
