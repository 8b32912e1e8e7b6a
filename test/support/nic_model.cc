#include "support/nic_model.h"

namespace rampart::test {

NicModel::NicModel(std::mt19937& random, uint16_t queues, Key kind) {
    const std::vector<uint8_t> pattern = {static_cast<uint8_t>(random()),
                                          static_cast<uint8_t>(random() | 1)};
    for (size_t at = 0; at < 52; ++at)
        key_.push_back(kind == Key::Symmetric ? pattern[at % 2] : static_cast<uint8_t>(random()));
    for (size_t at = 0; at < 128; ++at)
        queues_.push_back(static_cast<uint16_t>(random() % queues));
}

uint16_t NicModel::queue_of(const Tuple& tuple, bool is_fragment) const {
    constexpr uint8_t kTcp = 6, kUdp = 17;
    std::vector<uint8_t> input;
    const long size = tuple.family == Family::Ipv4 ? 4 : 16;
    input.insert(input.end(), tuple.src.begin(), tuple.src.begin() + size);
    input.insert(input.end(), tuple.dst.begin(), tuple.dst.begin() + size);
    if (!is_fragment && (tuple.protocol == kTcp || tuple.protocol == kUdp)) {
        for (const uint16_t port : {tuple.src_port.host(), tuple.dst_port.host()}) {
            input.push_back(static_cast<uint8_t>(port >> 8));
            input.push_back(static_cast<uint8_t>(port));
        }
    }
    uint32_t hash = 0;
    for (size_t bit = 0; bit < input.size() * 8; ++bit)
        if (input[bit / 8] >> (7 - bit % 8) & 1) hash ^= window(bit);
    return queues_[hash % queues_.size()];
}

uint32_t NicModel::window(size_t bit) const {
    uint32_t value = 0;
    for (size_t at = bit; at < bit + 32; ++at)
        value = value << 1 | (key_[at / 8] >> (7 - at % 8) & 1u);
    return value;
}

}  // namespace rampart::test
