// The state table, cell by cell, against a table written down independently: netfilter's states of
// an association as a box in the middle sees it. `--success` prints it.
#include "conntrack/trackers/sctp_states.h"

#include <map>
#include <sstream>
#include <string>

#include <catch2/catch.hpp>

namespace rampart::test {
namespace {

const std::map<std::string, std::string> kShort = {
    {"no", "NONE"},           {"cl", "CLOSED"},
    {"cw", "COOKIE_WAIT"},    {"ce", "COOKIE_ECHOED"},
    {"es", "ESTABLISHED"},    {"ss", "SHUTDOWN_SENT"},
    {"sr", "SHUTDOWN_RECD"},  {"sa", "SHUTDOWN_ACK_SENT"},
    {"hs", "HEARTBEAT_SENT"}, {"iv", "invalid"}};

// The number on the wire, then the next state from each state in the order of their numbers.
constexpr const char* kOriginal[] = {
    "0   no cl cw ce es ss sr sa hs",  // DATA
    "1   cl cl cw ce es cl cl sa cw",  // INIT
    "2   cl cl cw ce es ss sr sa cl",  // INIT ACK
    "3   no cl cw ce es ss sr sa hs",  // SACK
    "4   hs cl cw ce es ss sr sa hs",  // HEARTBEAT
    "5   cl cl cw ce es ss sr sa hs",  // HEARTBEAT ACK
    "6   cl cl cl cl cl cl cl cl cl",  // ABORT
    "7   cl cl cw ce ss ss sr sa cl",  // SHUTDOWN
    "8   sa cl cw ce es sa sa sa sa",  // SHUTDOWN ACK
    "9   cl cl cw ce es ss sr sa cl",  // ERROR
    "10  cl cl ce ce es ss sr sa cl",  // COOKIE ECHO
    "11  cl cl cw es es ss sr sa cl",  // COOKIE ACK
    "12  no cl cw ce es ss sr sa hs",  // ECNE
    "13  no cl cw ce es ss sr sa hs",  // CWR
    "14  cl cl cw ce es ss sr cl cl",  // SHUTDOWN COMPLETE
    "15  no cl cw ce es ss sr sa hs",  // AUTH
    "192 no cl cw ce es ss sr sa hs",  // FORWARD TSN
    "255 no cl cw ce es ss sr sa hs",
};
constexpr const char* kReply[] = {
    "0   no cl cw ce es ss sr sa hs",  // DATA
    "1   iv cl cw ce es ss sr sa iv",  // INIT
    "2   iv cw cw ce es ss sr sa iv",  // INIT ACK
    "3   no cl cw ce es ss sr sa hs",  // SACK
    "4   iv cl cw ce es ss sr sa hs",  // HEARTBEAT
    "5   iv cl cw ce es ss sr sa es",  // HEARTBEAT ACK
    "6   iv cl cl cl cl cl cl cl iv",  // ABORT
    "7   iv cl cw ce sr ss sr sa iv",  // SHUTDOWN
    "8   iv cl cw ce es sa sa sa iv",  // SHUTDOWN ACK
    "9   iv cl cw cl es ss sr sa iv",  // ERROR
    "10  iv cl ce ce es ss sr sa iv",  // COOKIE ECHO
    "11  iv cl cw es es ss sr sa iv",  // COOKIE ACK
    "14  iv cl cw ce es ss sr cl iv",  // SHUTDOWN COMPLETE
    "15  no cl cw ce es ss sr sa hs",  // AUTH
    "255 no cl cw ce es ss sr sa hs",
};

std::string name_of(SctpState state) {
    if (state == SctpState::Invalid) return "invalid";
    return std::string(kSctpStateNames[static_cast<size_t>(state)]);
}

template <size_t kCount>
void check_rows(const char* const (&rows)[kCount], Direction direction) {
    for (const char* row : rows) {
        std::stringstream words(row);
        unsigned number = 0;
        words >> number;
        for (unsigned column = 0; column < kSctpStateCount; ++column) {
            const SctpState state = static_cast<SctpState>(column);
            std::string expected;
            REQUIRE(words >> expected);
            INFO((direction == Direction::Original ? "original chunk " : "reply chunk ")
                 << number << " in " << name_of(state));
            const SctpChunkType type = sctp_chunk_type(static_cast<uint8_t>(number));
            CHECK(name_of(next_sctp_state(direction, type, state)) == kShort.at(expected));
        }
    }
}

}  // namespace

TEST_CASE("every cell of SCTP's state table is as specified") {
    check_rows(kOriginal, Direction::Original);
    check_rows(kReply, Direction::Reply);
}

}  // namespace rampart::test
