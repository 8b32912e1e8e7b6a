#include "pcap_file.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include <fmt/format.h>
#include <pcap/pcap.h>

namespace rampart {
namespace {

constexpr int64_t kSecond_ns = 1'000'000'000;
constexpr int64_t kMaxSeconds = int64_t{1} << 33;  // in nanoseconds, still an int64_t
constexpr int kMaxFrameBytes = 262144;             // libpcap's own limit for Ethernet

constexpr const char* kFormats = "pcap and pcapng files of Ethernet links can be replayed";

// libpcap tells times in the unit that it is asked for, not in which unit the file has them.
// Works for pipes too: all bytes come from one buffer and are put back into it.
bool counts_microseconds(std::FILE* stream) {
    std::array<int, 4> magic;
    size_t count = 0;
    while (count < magic.size() && (magic[count] = std::fgetc(stream)) != EOF)
        ++count;
    const bool is_complete = count == magic.size();
    const bool is_micro = is_complete && (magic == std::array{0xa1, 0xb2, 0xc3, 0xd4} ||
                                          magic == std::array{0xd4, 0xc3, 0xb2, 0xa1});
    while (count > 0)
        std::ungetc(magic[--count], stream);
    return is_micro;
}

int64_t time_of(const pcap_pkthdr& header) {
    // Classic files count seconds in 32 bits, which libpcap takes for signed.
    int64_t seconds = header.ts.tv_sec;
    if (seconds < 0) seconds += int64_t{1} << 32;
    seconds = std::clamp<int64_t>(seconds, 0, kMaxSeconds);
    return seconds * kSecond_ns + std::clamp<int64_t>(header.ts.tv_usec, 0, kSecond_ns - 1);
}

}  // namespace

Result<std::unique_ptr<PcapReader>> PcapReader::open(const std::string& path) {
    std::FILE* stream = std::fopen(path.c_str(), "rb");
    if (stream == nullptr)
        return failure(fmt::format("{}: cannot be read: {}", path, std::strerror(errno)));
    const bool has_nanoseconds = !counts_microseconds(stream);
    if (std::ferror(stream) || std::feof(stream)) {
        const std::string why = std::ferror(stream) ? std::strerror(errno) : "";
        std::fclose(stream);
        if (!why.empty()) return failure(fmt::format("{}: cannot be read: {}", path, why));
        return failure(fmt::format("{}: an empty file", path), kFormats);
    }
    char problem[PCAP_ERRBUF_SIZE] = "";
    pcap_t* file =
        pcap_fopen_offline_with_tstamp_precision(stream, PCAP_TSTAMP_PRECISION_NANO, problem);
    if (file == nullptr) {
        std::fclose(stream);
        return failure(fmt::format("{}: not a capture file: {}", path, problem), kFormats);
    }
    std::unique_ptr<PcapReader> reader(new PcapReader(path, file, has_nanoseconds));
    if (const int link = pcap_datalink(file); link != DLT_EN10MB) {
        const char* name = pcap_datalink_val_to_name(link);
        return failure(fmt::format("{}: a capture of link type {}, not of Ethernet", path,
                                   name != nullptr ? name : std::to_string(link)),
                       kFormats);
    }
    return reader;
}

PcapReader::~PcapReader() {
    pcap_close(file_);
}

Result<bool> PcapReader::next(CapturedFrame& frame) {
    pcap_pkthdr* header = nullptr;
    const uint8_t* bytes = nullptr;
    const int found = pcap_next_ex(file_, &header, &bytes);
    if (found == PCAP_ERROR_BREAK) return false;
    if (found != 1) return failure(fmt::format("{}: {}", path_, pcap_geterr(file_)));
    frame.time_ns = time_of(*header);
    frame.bytes.assign(bytes, bytes + header->caplen);
    frame.missing_bytes = header->len - std::min(header->len, header->caplen);
    return true;
}

Result<std::unique_ptr<PcapWriter>> PcapWriter::create(const std::string& path, bool nanoseconds) {
    std::FILE* stream = std::fopen(path.c_str(), "wb");
    if (stream == nullptr)
        return failure(fmt::format("{}: cannot be written: {}", path, std::strerror(errno)));
    pcap_t* format = pcap_open_dead_with_tstamp_precision(
        DLT_EN10MB, kMaxFrameBytes,
        nanoseconds ? PCAP_TSTAMP_PRECISION_NANO : PCAP_TSTAMP_PRECISION_MICRO);
    pcap_dumper_t* file = format == nullptr ? nullptr : pcap_dump_fopen(format, stream);
    if (file == nullptr) {
        const std::string why = format == nullptr ? "out of memory" : pcap_geterr(format);
        if (format != nullptr) pcap_close(format);
        std::fclose(stream);
        return failure(fmt::format("{}: cannot be written: {}", path, why));
    }
    return std::unique_ptr<PcapWriter>(new PcapWriter(path, format, file, nanoseconds ? 1 : 1000));
}

PcapWriter::~PcapWriter() {
    pcap_dump_close(file_);
    pcap_close(format_);
}

void PcapWriter::write(int64_t time_ns, std::span<const uint8_t> bytes, uint32_t missing_bytes) {
    pcap_pkthdr header{};
    header.ts.tv_sec = time_ns / kSecond_ns;
    header.ts.tv_usec = time_ns % kSecond_ns / unit_ns_;
    header.caplen = static_cast<bpf_u_int32>(bytes.size());
    header.len = header.caplen + missing_bytes;
    pcap_dump(reinterpret_cast<u_char*>(file_), &header, bytes.data());
}

Result<void> PcapWriter::finish() {
    errno = 0;
    if (pcap_dump_flush(file_) == 0 && !std::ferror(pcap_dump_file(file_))) return {};
    return failure(fmt::format("{}: cannot be written: {}", path_,
                               errno != 0 ? std::strerror(errno) : "an earlier write failed"));
}

}  // namespace rampart
