#include "base/scalar.h"

#include <catch2/catch.hpp>

using namespace rampart;

TEST_CASE("a decimal number has no sign, no leading zero and no end of its own") {
    CHECK(parse_decimal("0", 10) == 0u);
    CHECK(parse_decimal("65535", 65535) == 65535u);
    CHECK(parse_decimal("18446744073709551615", ~0ull) == ~0ull);
    for (const char* text : {"", "00", "022", "-1", "+1", "1 ", "0x16", "1e3", "80.0", "65536",
                             "18446744073709551616", "99999999999999999999999"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_decimal(text, 65535));
    }
}

TEST_CASE("hexadecimal is read only where it is meant") {
    CHECK(parse_hex_or_decimal("0x88cc") == 0x88ccu);
    CHECK(parse_hex_or_decimal("0xFFFFFFFF") == 0xffffffffu);
    CHECK(parse_hex_or_decimal("16") == 16u);
    for (const char* text : {"0x", "0x1g", "0x100000000", "x10", "010"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_hex_or_decimal(text));
    }
}

TEST_CASE("only true and false are booleans") {
    CHECK(parse_bool("true") == true);
    CHECK(parse_bool("false") == false);
    for (const char* text : {"yes", "no", "on", "off", "True", "FALSE", "y", "1", ""}) {
        CAPTURE(text);
        CHECK_FALSE(parse_bool(text));
    }
}

TEST_CASE("durations are read with units from large to small") {
    CHECK(parse_duration_s("90") == 90u);
    CHECK(parse_duration_s("30s") == 30u);
    CHECK(parse_duration_s("2h4m") == 7440u);
    CHECK(parse_duration_s("1d1h1m1s") == 90061u);
    for (const char* text : {"", "s", "m4", "4m2h", "1m1m", "1w", "1.5h", "-1s", "1 s", "01s",
                             "2h4", "4294967296", "49711d", "99999999999d"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_duration_s(text));
    }
}

TEST_CASE("a printed duration is read back") {
    for (const uint32_t seconds : {0u, 1u, 59u, 60u, 90u, 7440u, 86400u, 432000u, 4294967295u}) {
        CHECK(parse_duration_s(format_duration(seconds)) == seconds);
    }
    CHECK(format_duration(7440) == "2h4m");
}

TEST_CASE("sizes take binary units") {
    CHECK(parse_size_bytes("512M") == 512ull << 20);
    CHECK(parse_size_bytes("2G") == 2ull << 30);
    CHECK(parse_size_bytes("4096") == 4096u);
    for (const char* text :
         {"", "M", "1MB", "1m", "0x10", "-1M", "2048T", "99999999999999999999G"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_size_bytes(text));
    }
}

TEST_CASE("a port range runs forwards") {
    CHECK(parse_port_range("80") == PortRange{80, 80});
    CHECK(parse_port_range("8000-8999") == PortRange{8000, 8999});
    CHECK(parse_port_range("0-65535") == PortRange{0, 65535});
    for (const char* text : {"", "-", "80-", "-80", "443-80", "65536", "80:90", "022", "1-2-3"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_port_range(text));
    }
}
