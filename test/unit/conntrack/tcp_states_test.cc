// The state table, cell by cell, against a table written down independently: netfilter's states as
// a box in the middle sees RFC 9293. `--success` prints it.
#include "conntrack/trackers/tcp_states.h"

#include <map>
#include <sstream>
#include <string>

#include <catch2/catch.hpp>

namespace rampart::test {
namespace {

// Rows: class of segment. Columns: NONE SYN_SENT SYN_RECV ESTABLISHED FIN_WAIT CLOSE_WAIT LAST_ACK
// TIME_WAIT CLOSE SYN_SENT2. `ignored` keeps its class, `invalid` loses it.
constexpr const char* kOriginal[kTcpClassCount] = {
    "syn    syn_sent syn_sent ignored  ignored  ignored  ignored  ignored  syn_sent syn_sent "
    "syn_sent2",
    "synack invalid  invalid  syn_recv invalid  invalid  invalid  invalid  invalid  invalid  "
    "syn_recv",
    "fin    invalid  invalid  fin_wait fin_wait last_ack last_ack last_ack time_wait close   "
    "invalid",
    "ack    established invalid established established close_wait close_wait time_wait "
    "time_wait close invalid",
    "rst    invalid  close    close    close    close    close    close    close    close    close",
    "none   invalid  invalid  invalid  invalid  invalid  invalid  invalid  invalid  invalid  "
    "invalid"};

// A flow in state NONE has seen no reply: the first packet is always original.
constexpr const char* kReply[kTcpClassCount] = {
    "syn    invalid  syn_sent2 invalid invalid  invalid  invalid  invalid  syn_sent invalid  "
    "syn_sent2",
    "synack invalid  syn_recv ignored  ignored  ignored  ignored  ignored  ignored  ignored  "
    "syn_recv",
    "fin    invalid  invalid  fin_wait fin_wait last_ack last_ack last_ack time_wait close   "
    "invalid",
    "ack    invalid  ignored  syn_recv established close_wait close_wait time_wait time_wait "
    "close ignored",
    "rst    invalid  close    close    close    close    close    close    close    close    close",
    "none   invalid  invalid  invalid  invalid  invalid  invalid  invalid  invalid  invalid  "
    "invalid"};

const std::map<std::string, TcpClass> kClasses = {
    {"syn", TcpClass::Syn}, {"synack", TcpClass::SynAck}, {"fin", TcpClass::Fin},
    {"ack", TcpClass::Ack}, {"rst", TcpClass::Rst},       {"none", TcpClass::None}};

std::string name_of(TcpState state) {
    if (state == TcpState::Ignore) return "ignored";
    if (state == TcpState::Invalid) return "invalid";
    std::string name(kTcpStateNames[static_cast<size_t>(state)]);
    for (char& c : name)
        c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
    return name;
}

void check_rows(const char* const (&rows)[kTcpClassCount], Direction direction) {
    for (const char* row : rows) {
        std::stringstream words(row);
        std::string class_name;
        words >> class_name;
        for (unsigned column = 0; column < kTcpStateCount; ++column) {
            const TcpState state = static_cast<TcpState>(column);
            std::string expected;
            REQUIRE(words >> expected);
            INFO((direction == Direction::Original ? "original " : "reply ")
                 << class_name << " in " << name_of(state));
            CHECK(name_of(next_tcp_state(direction, kClasses.at(class_name), state)) == expected);
        }
    }
}

}  // namespace

TEST_CASE("every cell of TCP's state table is as specified") {
    check_rows(kOriginal, Direction::Original);
    check_rows(kReply, Direction::Reply);
}

}  // namespace rampart::test
