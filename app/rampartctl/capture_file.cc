#include "capture_file.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iostream>
#include <memory>
#include <openssl/evp.h>
#include <optional>
#include <string_view>
#include <unistd.h>

#include <pcap/pcap.h>

#include "control/api_protocol.h"
#include "control/json.h"

namespace rampart {
namespace {

constexpr int kSnapLength = 262'144;  // that tcpdump names in its files
constexpr std::string_view kShort = "-w", kLong = "--write";

// Takes "-w FILE", "-wFILE", "--write FILE" or "--write=FILE" out.
std::optional<std::string> take_file(std::vector<std::string>& arguments) {
    for (auto word = arguments.begin(); word != arguments.end(); ++word) {
        std::string name;
        if (*word == kShort || *word == kLong) {
            if (word + 1 == arguments.end()) return std::nullopt;
            name = *(word + 1);
            arguments.erase(word, word + 2);
            return name;
        }
        const bool is_long = word->starts_with("--write=");
        if (!is_long && (!word->starts_with(kShort) || word->starts_with("--"))) continue;
        name = word->substr(is_long ? kLong.size() + 1 : kShort.size());
        arguments.erase(word);
        return name;
    }
    return std::nullopt;
}

std::optional<std::vector<unsigned char>> from_base64(const std::string& text) {
    std::vector<unsigned char> bytes(text.size() / 4 * 3 + 1);
    const int count =
        EVP_DecodeBlock(bytes.data(), reinterpret_cast<const unsigned char*>(text.data()),
                        static_cast<int>(text.size()));
    if (count < 0) return std::nullopt;
    // The library counts what fills the last group up.
    const auto padding =
        std::count(text.end() - std::min<std::ptrdiff_t>(2, std::ssize(text)), text.end(), '=');
    bytes.resize(static_cast<size_t>(count - padding));
    return bytes;
}

class CaptureFile final : public AnswerSink {
  public:
    explicit CaptureFile(std::string path) : path_(std::move(path)) {}
    ~CaptureFile() override {
        if (dumper_ != nullptr) pcap_dump_close(dumper_);
        if (handle_ != nullptr) pcap_close(handle_);
    }

    // The file is made when the daemon has agreed. Parts are whole lines.
    bool take(const std::string& part) override {
        if (status_ != exit_code::kOk || (dumper_ == nullptr && !open())) return false;
        for (size_t begin = 0, end; (end = part.find('\n', begin)) != part.npos; begin = end + 1)
            write(part.substr(begin, end - begin));
        // So that somebody may read the file while it grows.
        if (pcap_dump_flush(dumper_) == 0) return true;
        return fail(std::strerror(errno));
    }
    int exit_status() const override { return status_; }

  private:
    bool open() {
        handle_ = pcap_open_dead_with_tstamp_precision(DLT_EN10MB, kSnapLength,
                                                       PCAP_TSTAMP_PRECISION_NANO);
        dumper_ = handle_ == nullptr ? nullptr : pcap_dump_open(handle_, path_.c_str());
        if (dumper_ != nullptr) return true;
        return fail(handle_ == nullptr ? "no memory" : pcap_geterr(handle_));
    }

    void write(const std::string& line) {
        const Json json = Json::parse(line, nullptr, /*allow_exceptions=*/false);
        if (!json.is_object()) return;
        const auto bytes = from_base64(json.value("bytes", ""));
        if (!bytes) return;
        const uint64_t time_ns = json.value("time_ns", uint64_t{0});
        pcap_pkthdr header{};
        header.ts.tv_sec = static_cast<time_t>(time_ns / 1'000'000'000);
        header.ts.tv_usec = static_cast<suseconds_t>(time_ns % 1'000'000'000);  // nanoseconds here
        header.caplen = static_cast<bpf_u_int32>(bytes->size());
        header.len = json.value("length", header.caplen);
        pcap_dump(reinterpret_cast<unsigned char*>(dumper_), &header, bytes->data());
    }

    bool fail(const std::string& why) {
        std::cerr << "rampartctl: " << why << '\n';
        status_ = exit_code::kFailure;
        return false;
    }

    std::string path_;
    pcap_t* handle_ = nullptr;
    pcap_dumper_t* dumper_ = nullptr;
    int status_ = exit_code::kOk;
};

}  // namespace

bool names_capture_file(const std::vector<std::string>& arguments) {
    auto copy = arguments;
    return take_file(copy).has_value();
}

int run_capture_to_file(ClientOptions options, std::vector<std::string> arguments) {
    const std::string path = take_file(arguments).value_or("-");
    if (path == "-" && isatty(STDOUT_FILENO)) {
        std::cerr << "rampartctl: -w - is for a pipe, this is a terminal\n";
        return exit_code::kUsage;
    }
    options.json = true;  // that is what has the bytes
    CaptureFile file(path);
    return run_remote(options, "pcap", arguments, &file);
}

}  // namespace rampart
