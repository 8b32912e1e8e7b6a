#include "unit/rules/classifier/random_rules.h"

#include <array>
#include <vector>

#include "support/load.h"

namespace rampart::test {
namespace {

using Random = std::mt19937_64;

unsigned below(Random& random, unsigned limit) {
    return static_cast<unsigned>(random() % limit);
}

template <typename T, size_t N>
const T& pick(Random& random, const T (&items)[N]) {
    return items[random() % N];
}

// Few bits vary, so that prefixes, ranges and packets meet.
std::string address4(Random& random) {
    static constexpr unsigned kSecond[] = {0, 1, 16, 255};
    return "10." + std::to_string(pick(random, kSecond)) + "." +
           std::to_string(below(random, 4) * 64) + "." + std::to_string(below(random, 8));
}

std::string hex(unsigned value) {
    static constexpr const char* kDigits = "0123456789abcdef";
    std::string text;
    for (int shift = 12; shift >= 0; shift -= 4)
        text += kDigits[value >> shift & 0xf];
    return text;
}

std::string address6(Random& random) {
    return "2001:db8:" + hex(below(random, 2) * 0x8000) + ":" + hex(below(random, 4)) +
           "::" + (random() % 2 ? hex(below(random, 2)) + ":" : "0000:") + hex(below(random, 8));
}

std::string address_item(Random& random, bool is_ipv6) {
    const auto address = [&] { return is_ipv6 ? address6(random) : address4(random); };
    const unsigned kind = below(random, 10);
    if (kind == 9 && is_ipv6) return "::" + hex(below(random, 8)) + "/::ffff";
    if (kind >= 8) return random() % 2 ? "@nets" : "@hosts";
    if (kind == 0) {
        const std::string low = is_ipv6 ? "2001:db8::" : "10.0.0.0";
        return low + "-" + address();
    }
    if (kind < 3) return address();
    static constexpr unsigned kLengths4[] = {0, 5, 8, 12, 16, 18, 24, 29, 30, 31, 32};
    static constexpr unsigned kLengths6[] = {0, 16, 32, 33, 47, 48, 62, 64, 96, 112, 125, 127, 128};
    return address() + "/" +
           std::to_string(is_ipv6 ? pick(random, kLengths6) : pick(random, kLengths4));
}

// `family`: 4, 6 or 0 for both.
std::string addresses(Random& random, unsigned family) {
    const unsigned count = family == 0 || random() % 3 == 0 ? 2 + below(random, 4) : 1;
    std::string list;
    for (unsigned i = 0; i < count; ++i)
        list += (i ? ", \"" : "\"") + address_item(random, family == 6 || (family == 0 && i % 2)) +
                "\"";
    return count == 1 ? list : "[" + list + "]";
}

std::string ports(Random& random) {
    static constexpr unsigned kEdges[] = {0, 1, 22, 53, 80, 443, 1023, 1024, 8000, 32768, 65535};
    const unsigned count = random() % 3 == 0 ? 2 + below(random, 4) : 1;
    std::string list;
    for (unsigned i = 0; i < count; ++i) {
        unsigned first = pick(random, kEdges), last = pick(random, kEdges);
        if (first > last) std::swap(first, last);
        list += i ? ", " : "";
        list += std::to_string(first);
        if (random() % 2 && first < last) list += "-" + std::to_string(last);
    }
    return "[" + list + "]";
}

class RuleText {
  public:
    RuleText(Random& random, bool is_base) : random_(random), is_base_(is_base) {}

    std::string make() {
        unsigned family = below(random_, 4) == 0 ? 0 : random_() % 2 ? 4 : 6;
        protocol(family);
        // Negated addresses narrow a rule to their family: one family for all of a rule.
        if (random_() % 2) add("src", addresses(random_, family), family != 0);
        if (random_() % 2) add("dst", addresses(random_, family), family != 0);
        if (random_() % 8 == 0 && family == 0)
            add("family", random_() % 2 ? "ipv4" : "ipv6", false);
        if (random_() % 4 == 0)
            add("in", words({"lan", "wan", "dmz", "\"*an\"", "[lan, far]"}), true);
        if (random_() % 6 == 0) add("out", words({"lan", "wan", "[dmz, wan]"}), true);
        if (random_() % 4 == 0)
            add("state",
                words({"new", "established", "[new, related]", "invalid", "[untracked, invalid]",
                       "[established, related]"}),
                true);
        if (random_() % 8 == 0) add("ct_dir", words({"original", "reply"}), true);
        std::string text = plain_;
        if (!negated_.empty()) text += "not: { " + negated_ + " }, ";
        return "{ " + text + verdict() + " }";
    }

  private:
    std::string words(const std::vector<std::string>& items) {
        return items[random_() % items.size()];
    }

    void add(const std::string& key, const std::string& value, bool may_negate) {
        if (may_negate && random_() % 5 == 0) {
            negated_ += (negated_.empty() ? "" : ", ") + key + ": " + value;
        } else {
            plain_ += key + ": " + value + ", ";
        }
    }

    // May narrow `family`.
    void protocol(unsigned& family) {
        switch (below(random_, 8)) {
            case 0:
            case 1:
            case 2:
                add("proto", words({"tcp", "udp", "[tcp, udp]", "[udp, sctp]"}), false);
                if (random_() % 2) add("sport", ports(random_), true);
                if (random_() % 6 == 0)
                    add("dport", "\"@services\"", true);
                else if (random_() % 3)
                    add("dport", ports(random_), true);
                return;
            case 3:
                family = 4;
                add("proto", "icmp", false);
                return add("icmp", words({"echo-request", "[3/4, 8]", "0", "3", "[3, 3/4, 11]"}),
                           true);
            case 4:
                family = 6;
                add("proto", "icmpv6", false);
                return add("icmpv6", words({"echo-request", "neighbour-discovery", "1/4"}), true);
            case 5:
                return add("proto", words({"gre", "47", "[tcp, icmp]", "[udp, 99]"}), true);
            default:
                return;
        }
    }

    std::string verdict() {
        switch (below(random_, is_base_ ? 10 : 8)) {
            case 0:
                return "action: accept";
            case 1:
                return "action: drop";
            case 2:
                return random_() % 2 ? "action: reject" : "action: accept, essential: true";
            case 3:
                return "action: return";
            case 4:
            case 5:
            case 6:
                return "comment: goes on";
            case 7:
                return is_base_ ? "goto: a" : "action: drop";
            case 8:
                return "jump: b";
            default:
                return "jump: a";
        }
    }

    Random& random_;
    bool is_base_;
    std::string plain_, negated_;
};

std::string rules(Random& random, bool is_base, const std::string& last) {
    std::string text = "[";
    const unsigned count = 1 + below(random, random() % 2 ? 60 : 12);
    for (unsigned i = 0; i < count; ++i)
        text += RuleText(random, is_base).make() + ",\n      ";
    return text + last + "]";
}

// Of both families; networks of this length, or single addresses for 0.
std::string set_elements(Random& random, unsigned length) {
    std::string text;
    for (unsigned i = 0; i < 3; ++i) {
        const std::string end = length == 0 ? "\"" : "/" + std::to_string(length + i * 2) + "\"";
        text += (i ? ", \"" : "\"") + address4(random) + end;
        text += ", \"" + address6(random) + (length == 0 ? "\"" : "/48\"");
    }
    return text;
}

AddressBytes bytes_of(const std::string& text) {
    return IpAddress::parse(text)->bytes;
}

}  // namespace

std::string random_rule_set(Random& random) {
    return "version: 1\n"
           "interfaces:\n"
           "  lan: { device: \"vdev:net_null0\", bridge: wan }\n"
           "  wan: { device: \"vdev:net_null1\" }\n"
           "  dmz: { device: \"vdev:net_null2\", bridge: far }\n"
           "  far: { device: \"vdev:net_null3\" }\n"
           "sets:\n"
           "  nets: { type: net, elements: [" +
           set_elements(random, 24) +
           "] }\n"
           "  hosts: { type: ip, elements: [" +
           set_elements(random, 0) +
           "] }\n"
           "  services: { type: port, elements: [22, 80, 8000-32768] }\n"
           "chains:\n"
           "  forward:\n    policy: " +
           std::string(random() % 2 ? "accept" : "drop") +
           "\n    rules: " + rules(random, true, "{ jump: c }") +
           "\n  a: " + rules(random, false, "{ proto: udp, jump: c }") +
           "\n  b: " + rules(random, false, "{ state: new, goto: c }") +
           "\n  c: " + rules(random, false, "{ action: return }") + "\n";
}

RandomPacket::RandomPacket() noexcept {
    packet.hop_limit = 64;
    packet.is_untracked_icmpv6 = false;
}

RandomPacket random_packet(Random& random) {
    RandomPacket at;
    const bool is_ipv6 = random() % 2;
    at.tuple.family = is_ipv6 ? Family::Ipv6 : Family::Ipv4;
    at.tuple.src = bytes_of(is_ipv6 ? address6(random) : address4(random));
    at.tuple.dst = bytes_of(is_ipv6 ? address6(random) : address4(random));
    if (random() % 16 == 0)
        at.tuple.src[random() % (is_ipv6 ? 16 : 4)] = static_cast<uint8_t>(random());
    static constexpr uint8_t kProtocols[] = {6, 6, 6, 17, 17, 132, 1, 58, 47, 99};
    at.tuple.protocol = pick(random, kProtocols);
    static constexpr uint16_t kPorts[] = {0,    1,    2,    21,    22,    23,    52,
                                          53,   80,   443,  1022,  1023,  1024,  1025,
                                          7999, 8000, 8001, 32768, 32769, 65534, 65535};
    const auto port = [&] {
        return be16::from_host(random() % 8 ? pick(random, kPorts)
                                            : static_cast<uint16_t>(random()));
    };
    at.tuple.src_port = port();
    at.tuple.dst_port = port();
    static constexpr uint8_t kTypes[] = {0, 1, 3, 8, 11, 128, 133, 135, 136, 137};
    if (at.tuple.protocol == 1 || at.tuple.protocol == 58)
        at.tuple.dst_port =
            be16::from_host(static_cast<uint16_t>(pick(random, kTypes) << 8 | below(random, 6)));
    at.packet.hop_limit = random() % 2 ? 255 : 64;
    at.packet.is_untracked_icmpv6 = at.tuple.protocol == 58 && at.tuple.icmp_type() >= 130;
    at.ct_class = static_cast<CtClass>(below(random, kCtClassCount));
    at.direction = static_cast<Direction>(below(random, 2));
    at.in = static_cast<InterfaceIndex>(below(random, 4));
    at.out = random() % 16 ? static_cast<InterfaceIndex>(at.in ^ 1) : kNoInterface;
    return at;
}

std::string random_rule(Random& random) {
    return RuleText(random, false).make();
}

}  // namespace rampart::test
