// Capture files: PcapReader gives the Ethernet frames of a pcap or pcapng file in file order,
// PcapWriter makes a pcap.
//
// Times are nanoseconds since 1970, whatever the file's unit is. What libpcap says when it refuses
// a file becomes an Error; neither class prints or ends the program. One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"

struct pcap;
struct pcap_dumper;

namespace rampart {

struct CapturedFrame {
    int64_t time_ns = 0;
    std::vector<uint8_t> bytes;
    uint32_t missing_bytes = 0;  // the frame was this much longer on the wire
};

class PcapReader {
  public:
    static Result<std::unique_ptr<PcapReader>> open(const std::string& path);
    ~PcapReader();
    PcapReader(const PcapReader&) = delete;
    PcapReader& operator=(const PcapReader&) = delete;

    // False at the end of the file.
    Result<bool> next(CapturedFrame& frame);
    // False only for classic files that count microseconds.
    bool has_nanoseconds() const noexcept { return has_nanoseconds_; }

  private:
    PcapReader(std::string path, pcap* file, bool has_nanoseconds)
        : path_(std::move(path)), file_(file), has_nanoseconds_(has_nanoseconds) {}

    std::string path_;
    pcap* file_;
    bool has_nanoseconds_;
};

class PcapWriter {
  public:
    static Result<std::unique_ptr<PcapWriter>> create(const std::string& path, bool nanoseconds);
    ~PcapWriter();
    PcapWriter(const PcapWriter&) = delete;
    PcapWriter& operator=(const PcapWriter&) = delete;

    void write(int64_t time_ns, std::span<const uint8_t> bytes, uint32_t missing_bytes = 0);
    // Tells whether all that was written has reached the file.
    Result<void> finish();

  private:
    PcapWriter(std::string path, pcap* format, pcap_dumper* file, int64_t unit_ns)
        : path_(std::move(path)), format_(format), file_(file), unit_ns_(unit_ns) {}

    std::string path_;
    pcap* format_;
    pcap_dumper* file_;
    int64_t unit_ns_;
};

}  // namespace rampart
