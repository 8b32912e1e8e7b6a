#include "control/api_protocol.h"

#include <catch2/catch.hpp>

using namespace rampart;

TEST_CASE("a request is a command with arguments") {
    const auto request =
        parse_request(R"({"command":"conntrack","arguments":["-L","-p","tcp"],"json":true})");
    REQUIRE(request);
    CHECK(request->command == "conntrack");
    CHECK(request->arguments == std::vector<std::string>{"-L", "-p", "tcp"});
    CHECK(request->json);
    CHECK_FALSE(request->file);
}

TEST_CASE("apply carries the text of a file") {
    const auto request = parse_request(
        R"({"command":"apply","arguments":["a.yaml"],"file":{"path":"a.yaml","text":"version: 1\n"}})");
    REQUIRE(request);
    REQUIRE(request->file);
    CHECK(request->file->text == "version: 1\n");
    CHECK_FALSE(request->file->included);
}

TEST_CASE("apply carries the included files, also when there are none") {
    const auto request = parse_request(
        R"({"command":"apply","file":{"path":"a","text":"","included":[{"path":"b","text":"c"}]}})");
    REQUIRE(request);
    REQUIRE(request->file->included);
    REQUIRE(request->file->included->size() == 1);
    CHECK(request->file->included->front().path == "b");
    CHECK(request->file->included->front().text == "c");
    const auto none =
        parse_request(R"({"command":"apply","file":{"path":"a","text":"","included":[]}})");
    REQUIRE(none);
    CHECK(none->file->included.has_value());
}

TEST_CASE("malformed requests are refused") {
    const std::string_view bad[] = {
        "",
        "x",
        "[]",
        "5",
        "\"status\"",
        "{}",
        R"({"command":5})",
        R"({"command":null})",
        R"({"command":"a","arguments":5})",
        R"({"command":"a","arguments":[5]})",
        R"({"command":"a","arguments":["b\u0000c"]})",
        R"({"command":"a","json":"yes"})",
        R"({"command":"a","file":[]})",
        R"({"command":"a","file":{"path":"p"}})",
        R"({"command":"a","file":{"path":"p","text":"","included":{}}})",
        R"({"command":"a","file":{"path":"p","text":"","included":["b"]}})",
        R"({"command":"a","file":{"path":"p","text":"","included":[{"path":"b"}]}})",
        R"({"command":"a")",
        "{\"command\":\"\xff\"}",
        R"({"command":"a"} {})",
    };
    for (const std::string_view line : bad) {
        INFO(line);
        CHECK_FALSE(parse_request(line));
    }
    CHECK_FALSE(parse_request(std::string_view("\0\0", 2)));
}

TEST_CASE("deep nesting is refused before it is parsed") {
    std::string line = R"({"command":"a","x":)";
    line += std::string(1'000'000, '[');
    const auto request = parse_request(line);
    REQUIRE_FALSE(request);
    CHECK(request.error().message == "nested too deep");
    CHECK(parse_request(R"({"command":"a","x":"[[[[[[[["})"));
}

TEST_CASE("too many arguments are refused") {
    Json request{{"command", "a"}, {"arguments", Json::array()}};
    for (size_t i = 0; i < kMaxArguments; ++i)
        request["arguments"].push_back("x");
    CHECK(parse_request(request.dump()));
    request["arguments"].push_back("x");
    CHECK_FALSE(parse_request(request.dump()));
}

TEST_CASE("only apply may send long lines") {
    CHECK(request_limit(R"({"command":"apply","file":...)") == kMaxApplyBytes);
    CHECK(request_limit(R"({"command":"status"})") == kMaxRequestBytes);
    CHECK(request_limit("") == kMaxRequestBytes);
}

TEST_CASE("a reply is one line, whatever the command printed") {
    const std::string line = render_reply({1, "a\nb\xff", "no\n", {}}, false);
    CHECK(line.find('\n') == line.size() - 1);
    const Json reply = Json::parse(line);
    CHECK(reply["exit"] == 1);
    CHECK(reply["stderr"] == "no\n");
    CHECK_FALSE(reply.contains("result"));
}

TEST_CASE("a JSON reply has a result instead of text") {
    const Json reply = Json::parse(render_reply({0, "text", "", {{"ready", true}}}, true));
    CHECK(reply["result"]["ready"] == true);
    CHECK_FALSE(reply.contains("stdout"));
}
