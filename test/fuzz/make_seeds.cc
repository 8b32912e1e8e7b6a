// Writes the sample frames as seeds for the fuzzers: make_seeds DIRECTORY.
#include <cstdio>
#include <fstream>
#include <string>

#include "support/packet_line.h"
#include "support/samples.h"

int main(int argc, char** argv) {
    using namespace rampart::test;
    if (argc != 2) {
        std::fprintf(stderr, "usage: %s DIRECTORY\n", argv[0]);
        return 2;
    }
    unsigned number = 0;
    for (const std::string_view line : kSampleLines) {
        const Bytes frame = frame_of(line);
        const std::string kind(line.substr(0, line.find(' ')));
        const std::string path =
            std::string(argv[1]) + "/" + std::to_string(100 + number++) + "-" + kind;
        std::ofstream file(path, std::ios::binary);
        file.write(reinterpret_cast<const char*>(frame.data()),
                   static_cast<std::streamsize>(frame.size()));
        if (!file) return 1;
    }
    return 0;
}
