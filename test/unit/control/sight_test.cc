// What people and collectors see: pages of `top`, lines of `pcap`, dictionaries of telemetry.
#include <catch2/catch.hpp>

#include "control/capture_format.h"
#include "control/telemetry_data.h"
#include "control/top_format.h"

namespace rampart {

TEST_CASE("rates have three digits and a unit") {
    CHECK(short_rate(0) == "0");
    CHECK(short_rate(999.4) == "999");
    CHECK(short_rate(999.6) == "1.00k");
    CHECK(short_rate(12'345) == "12.3k");
    CHECK(short_rate(999'600) == "1.00M");
    CHECK(short_rate(1.234e9) == "1.23G");
    CHECK(short_rate(5e15) == "5000T");
}

TEST_CASE("elements of the same name stay apart, and what does not fit is on the next page") {
    const Json list = Json::parse(R"([{"id":"a-b","n":1},{"id":"a.b","n":2},{"id":"c","n":3}])");
    const Json all = page_of(list, "id", 0);
    CHECK(all.at("a_b").at("n") == 1);
    CHECK(all.at("a_b_2").at("n") == 2);
    CHECK_FALSE(all.contains("next"));
    CHECK(page_of(list, "id", 2).size() == 1);
    CHECK(page_of(list, "id", 9).empty());

    Json many = Json::array();
    for (int i = 0; i < 1000; ++i)
        many.push_back({{"id", "rule" + std::to_string(i)}, {"packets", 123456789012}});
    size_t seen = 0, pages = 0;
    for (size_t first = 0; pages < 100; ++pages) {
        const Json page = page_of(many, "id", first);
        CHECK(page.dump().size() < 16'000);
        CHECK(page.size() <= kTelemetryEntries);
        seen += page.size() - page.contains("next");
        if (!page.contains("next")) break;
        first = page.at("next");
    }
    CHECK(seen == 1000);
    CHECK(pages >= 3);
}

TEST_CASE("a captured frame is described even when little of it was copied") {
    Names names;
    names.interfaces.push_back({.name = "lan"});
    const std::vector<std::byte> frame(14);
    CaptureHead head{
        .length = 60, .interface = 0, .point = CapturePoint::Dropped, .reason = DropReason::Policy};
    const std::string text = capture_text(head, frame, nullptr, names);
    CHECK(text.find(" lan dropped ") != std::string::npos);
    CHECK(text.find("policy") != std::string::npos);
    CHECK(capture_json(head, frame, nullptr, names).at("bytes") == "AAAAAAAAAAAAAAAAAAA=");
    CHECK(capture_json(head, {}, nullptr, names).at("bytes") == "");
}

}  // namespace rampart
