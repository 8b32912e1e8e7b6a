#include "base/utf8.h"

#include <catch2/catch.hpp>

using namespace rampart;

TEST_CASE("well-formed UTF-8 is decoded") {
    CHECK(first_code_point("a").value == 'a');
    CHECK(first_code_point("\xc3\xbc").value == 0xfc);
    CHECK(first_code_point("\xe2\x82\xac").value == 0x20ac);
    CHECK(first_code_point("\xf0\x9f\x98\x80").value == 0x1f600);
    CHECK(first_code_point("\xf0\x9f\x98\x80").length_bytes == 4);
}

TEST_CASE("overlong, truncated, surrogate and too large sequences are not UTF-8") {
    for (const char* text :
         {"\xc0\x80", "\xc1\xbf", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80",
          "\xf8\x88\x80\x80\x80", "\x80", "\xff", "\xc3", "\xe2\x82", "\xc3("}) {
        CHECK(first_code_point(text).length_bytes == 0);
    }
}
