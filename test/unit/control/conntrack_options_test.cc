#include "control/conntrack_options.h"

#include <sstream>

#include <catch2/catch.hpp>

using namespace rampart;

namespace {

std::vector<std::string> words_of(const std::string& line) {
    std::istringstream stream(line);
    return {std::istream_iterator<std::string>(stream), {}};
}

ConntrackOptions good(const std::string& line) {
    auto options = parse_conntrack_options(words_of(line));
    INFO(line);
    REQUIRE(options);
    return std::move(*options);
}

// The first line of what is said about it, without the prefix.
std::string problem(const std::string& line, int exit = exit_code::kUsage) {
    const auto options = parse_conntrack_options(words_of(line));
    INFO(line);
    REQUIRE_FALSE(options);
    CHECK(options.error().exit == exit);
    const std::string& text = options.error().err;
    const size_t begin = text.find(": ") + 2;
    return text.substr(begin, text.find('\n') - begin);
}

}  // namespace

TEST_CASE("commands and tables are told apart") {
    CHECK(good("-L").command == ConntrackCommand::List);
    CHECK(good("--dump").command == ConntrackCommand::List);
    CHECK(good("--count").command == ConntrackCommand::Count);
    CHECK(good("-L expect").table == ConntrackTable::Expect);
    CHECK(good("-L dying").table == ConntrackTable::Dying);
    CHECK(good("").command == ConntrackCommand::Help);
    CHECK(problem("-L -C") == "Invalid commands combination");
    CHECK(problem("-L extra") == "unknown type `extra'");
    CHECK(problem("-C dying") == "Can't do that command with tables `dying' and `unconfirmed'");
}

TEST_CASE("an option out of place is illegal by its long name") {
    CHECK(problem("-L -i 4") == "Illegal option `--id' with this command");
    CHECK(problem("-F -o id -m 1 -s 1.1.1.1") == "Illegal option `--src' with this command");
    CHECK(problem("-D -z -s 1.1.1.1") == "Illegal option `--zero' with this command");
    CHECK(problem("-E -u ASSURED") == "Illegal option `--status' with this command");
    CHECK(problem("-G -s 1.1.1.0/24 -d 2.2.2.2 -p 253") ==
          "Illegal option `--mask-src' with this command");
    CHECK(good("-D -t 10 -i 4").filter.id == 4u);
}

TEST_CASE("the options of a protocol exist behind -p only") {
    CHECK(good("-L -p udp --sport 11").filter.src_port == 11);
    CHECK(good("-L -p 17 --orig-port-dst 53").filter.dst_port == 53);
    CHECK(good("-L -p TCP --state LISTEN").filter.state == 9);
    CHECK(good("-L -p sctp --state ESTABLISHED").filter.state == 4);
    CHECK(good("-L -p gre --srckey 0x10").filter.src_port == 16);
    CHECK(good("-L -p icmpv6 --icmpv6-type 128 --icmpv6-id 5").filter.icmp_type == 128);
    CHECK(problem("-L --sport 11") == "unknown option `--sport'");
    CHECK(problem("-L -p icmp --sport 11") == "unknown option `--sport'");
    CHECK(problem("-L -p udp --state ESTABLISHED") == "unknown option `--state'");
    CHECK(problem("-L -p tcp --state FOO") == "unknown TCP state `FOO'");
    CHECK(problem("-L -p sctp --state FOO") == "unknown SCTP state `FOO'");
    CHECK(problem("-L -p udp --sport") == "option `--sport' requires an argument");
    CHECK(problem("-L -p foo") == "`foo' unsupported protocol");
    CHECK(problem("-L -X") == "unknown option `-X'");
}

TEST_CASE("addresses") {
    CHECK(good("-L -s 10.0.0.0/8").filter.src->mask == IpAddress::parse("255.0.0.0")->bytes);
    CHECK(good("-L -s 10.0.0.0 --mask-src 255.255.0.0").filter.src->mask ==
          IpAddress::parse("255.255.0.0")->bytes);
    CHECK(good("-L -d fd00::/63").filter.dst->mask ==
          IpAddress::parse("ffff:ffff:ffff:fffe::")->bytes);
    CHECK(problem("-L -s 1.1.1.300") == "Invalid IP address `1.1.1.300'");
    CHECK(problem("-L -s 1.1.1.1/33") == "Invalid netmask");
    CHECK(problem("-L -r 2.2.2.0/24") == "CIDR notation unavailable for `--reply-src'");
    CHECK(problem("-L -s 1.1.1.1 -f ipv6") == "mismatched address family");
    CHECK(problem("-L -s fd00::1 -d 1.1.1.1") == "mismatched address family");
    CHECK(problem("-L --mask-src 1.1.1.1") == "Can't use --mask-src without --src");
    CHECK(problem("-L -f ipv5") == "`ipv5' unsupported protocol");
}

TEST_CASE("translations take an address that may be left out") {
    CHECK(good("-L -n").filter.src_nat);
    CHECK(good("-L -n 9.9.9.9:14").filter.src_nat->port == 14);
    CHECK(good("-L -n -g").filter.dst_nat);
    CHECK(good("-L -j [fd00::1]:5").filter.any_nat->port == 5);
    CHECK(problem("-L -n 9.9.9.9:") == "No port specified after `:'");
    CHECK(problem("-L -n 9.9.9.9:x") == "Invalid port `x'");
    CHECK(problem("-L -j -n") == "cannot specify `--src-nat' or `--dst-nat' with `--any-nat'");
}

TEST_CASE("status words") {
    CHECK(good("-L -u ASSURED,SEEN_REPLY").filter.status_set ==
          (flow_status::kAssured | flow_status::kSeenReply));
    CHECK(good("-L -u !ASSURED").filter.status_clear == flow_status::kAssured);
    CHECK(good("-L -u UNREPLIED").filter.status_clear == flow_status::kSeenReply);
    CHECK(good("-L -u assured").filter.status_set == flow_status::kAssured);
    CHECK(good("-L -u OFFLOAD").filter.matches_nothing);
    CHECK(good("-L -u UNSET").has_unusable_status);
    CHECK(good("-L -u SRC_NAT").remarks == "WARNING: ignoring SRC_NAT, use --src-nat instead\n");
    CHECK(problem("-L -u FOO") == "Bad parameter `FOO'");
    CHECK(problem("-L -u !UNREPLIED") == "Bad parameter `UNREPLIED'");
}

TEST_CASE("output words") {
    CHECK(good("-L -o extended,id").format.extended);
    CHECK(good("-L -o extended -o id").format.id);
    CHECK(good("-L -o xml,timestamp").format.form == FlowForm::Xml);
    CHECK(problem("-L -o foo") == "Bad parameter `foo'");
    CHECK(problem("-L -o id,foo") == "Bad parameter `foo'");
    CHECK(problem("-L -o save,id", exit_code::kFailure) ==
          "cannot combine save output with any other output type, use -o save only");
}

TEST_CASE("event words") {
    CHECK(good("-E").events == conntrack_event::kAll);
    CHECK(good("-E -e new").events == conntrack_event::kNew);
    CHECK(good("-E -e NEW,DESTROY -e UPDATES").events == conntrack_event::kAll);
    CHECK(problem("-E -e FOO") == "Bad parameter `FOO'");
    CHECK(problem("-E dying") == "Can't do that command with tables `dying' and `unconfirmed'");
}

TEST_CASE("counters are not zeroed for a selection") {
    CHECK(good("-L -z -o id -f ipv4").zero);
    CHECK(problem("-L -z -p tcp") == "Can't use -z with filtering parameters");
}

TEST_CASE("one flow is named by a whole tuple") {
    CHECK(good("-G -p tcp -s 1.1.1.1 -d 2.2.2.2 --sport 1 --dport 2").has_filter);
    CHECK(problem("-G -s 1.1.1.1") ==
          "You need to supply the `--protonum' option for this command");
    CHECK(problem("-G -p tcp") == "you have to specify `--src' and `--dst'");
    CHECK(problem("-G -p tcp -s 1.1.1.1 -d 2.2.2.2") ==
          "you have to specify `--sport' and `--dport'");
    CHECK(problem("-G -p icmp -s 1.1.1.1 -d 2.2.2.2") ==
          "You need to supply the `--icmp-type' option for this command");
    CHECK(problem("-G -p gre -s 1.1.1.1 -d 2.2.2.2") ==
          "you have to specify `--srckey' and `--dstkey'");
    CHECK(problem("-G -p tcp -r 2.2.2.2") == "you have to specify `--reply-src' and `--reply-dst'");
}

TEST_CASE("numbers that are none are refused, though upstream takes them for zero") {
    CHECK(problem("-L -p udp --sport x") == "port 'x' is not valid");
    CHECK(problem("-L -p udp --sport 70000") == "port '70000' is not valid");
    CHECK(problem("-D -m x") == "mark 'x' is not valid");
    CHECK(problem("-L -w 70000") == "zone '70000' is not valid");
}

TEST_CASE("what makes flows by hand is not available") {
    CHECK(problem("-I -p tcp") == "-I is not available: flows are made by packets");
    CHECK(problem("-L -l web") == "unknown label 'web'");
}
