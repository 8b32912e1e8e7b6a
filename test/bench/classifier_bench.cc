// The classifier beside rte_acl: cycles per packet, time to build, memory.
//
//   build-bench/test/classifier-bench [--rules N] [--family 4|6] [--flavour acl|fw|ipc] [--huge]
//   [--alone]
//
// Rule sets of filter_sets.h. Batches of 32 headers, from the tuple to the position of the first
// rule that matches; typical: 65,536 headers inside rules drawn at random; adversarial: of four
// times as many, the thousand with the longest way through our own trees. The two take turns, chunk
// by chunk; medians. Both must find the same rules. Without root; --huge uses hugepages for
// rte_acl.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>

#include <rte_cycles.h>

#include "bench/acl_peer.h"
#include "dpdk/eal.h"
#include "rules/classifier/classifier.h"

namespace rampart::bench {
namespace {

constexpr unsigned kBatch = 32;
constexpr size_t kHeaders = 1 << 16;
constexpr size_t kHardest = 1024;
constexpr size_t kChunk = 4096;   // headers per measurement
constexpr unsigned kRounds = 12;  // over all headers

double median(std::vector<double>& values) {
    std::nth_element(values.begin(), values.begin() + static_cast<long>(values.size() / 2),
                     values.end());
    return values[values.size() / 2];
}

Tuple tuple_of(const Header& header, Family family) {
    Tuple tuple;
    tuple.src = header.src;
    tuple.dst = header.dst;
    tuple.src_port = be16::from_host(header.src_port);
    tuple.dst_port = be16::from_host(header.dst_port);
    tuple.protocol = header.protocol;
    tuple.family = family;
    return tuple;
}

class Contest {
  public:
    Contest(Flavour flavour, Family family, size_t rules, bool with_peer);
    void run();

  private:
    void find_hardest(const std::vector<Filter>& filters, std::mt19937_64& random);
    unsigned work_of(const Header& header) const;
    double ours(size_t first, size_t count);
    double theirs(size_t first, size_t count);
    void take_turns(const std::vector<Header>& headers, double& our_cycles, double& their_cycles);

    Flavour flavour_;
    Family family_;
    size_t rules_;
    Attributes attributes_;
    std::unique_ptr<ChainIndex> index_;
    double build_ms_ = 0;
    std::unique_ptr<AclPeer> peer_;
    std::vector<Header> typical_, hardest_;
    // Of the headers being measured.
    std::vector<Tuple> tuples_;
    std::vector<AclPeer::Row> rows_;
    std::vector<const uint8_t*> row_pointers_;
    std::vector<uint32_t> our_results_, their_results_;
};

Contest::Contest(Flavour flavour, Family family, size_t rules, bool with_peer)
    : flavour_(flavour), family_(family), rules_(rules) {
    const std::vector<Filter> filters = make_filters(flavour, family, rules, 1);
    std::vector<Projection> projections;
    for (const Filter& filter : filters)
        projections.push_back(projection_of(filter, family));
    const double start = thread_ms();
    attributes_ = Attributes(projections);
    index_ = std::make_unique<ChainIndex>(projections, attributes_);
    build_ms_ = thread_ms() - start;
    if (with_peer) peer_ = AclPeer::create(filters, family);
    std::mt19937_64 random(2);
    for (size_t i = 0; i < kHeaders; ++i)
        typical_.push_back(header_inside(filters[random() % filters.size()], family, random));
    find_hardest(filters, random);
}

unsigned Contest::work_of(const Header& header) const {
    const Tuple tuple = tuple_of(header, family_);
    RuleKey key;
    make_key(key, {tuple, CtClass::New, Direction::Original, 0, 1}, attributes_);
    unsigned work = 0;
    for (const CutTree& tree : index_->trees(family_)) {
        const CutTree::Depth depth = tree.depth(key);
        work += depth.nodes + 2 * depth.blocks;
    }
    return work;
}

void Contest::find_hardest(const std::vector<Filter>& filters, std::mt19937_64& random) {
    std::vector<std::pair<unsigned, Header>> candidates;
    for (size_t i = 0; i < 4 * kHeaders; ++i) {
        const Header header = header_inside(filters[random() % filters.size()], family_, random);
        candidates.emplace_back(work_of(header), header);
    }
    std::nth_element(candidates.begin(), candidates.begin() + kHardest, candidates.end(),
                     [](const auto& a, const auto& b) { return a.first > b.first; });
    for (size_t i = 0; i < kHeaders; ++i)
        hardest_.push_back(candidates[random() % kHardest].second);
}

double Contest::ours(size_t first, size_t count) {
    RuleKey keys[kBatch];
    const uint64_t start = rte_rdtsc_precise();
    for (size_t at = first; at < first + count; at += kBatch) {
        for (unsigned i = 0; i < kBatch; ++i)
            make_key(keys[i], {tuples_[at + i], CtClass::New, Direction::Original, 0, 1},
                     attributes_);
        index_->first(keys, kBatch, family_, &our_results_[at]);
    }
    return static_cast<double>(rte_rdtsc_precise() - start) / static_cast<double>(count);
}

double Contest::theirs(size_t first, size_t count) {
    const uint64_t start = rte_rdtsc_precise();
    for (size_t at = first; at < first + count; at += kBatch)
        peer_->find(&row_pointers_[at], &their_results_[at], kBatch);
    return static_cast<double>(rte_rdtsc_precise() - start) / static_cast<double>(count);
}

void Contest::take_turns(const std::vector<Header>& headers, double& our_cycles,
                         double& their_cycles) {
    tuples_.clear();
    rows_.clear();
    row_pointers_.clear();
    for (const Header& header : headers) {
        tuples_.push_back(tuple_of(header, family_));
        rows_.push_back(AclPeer::row_of(header, family_));
    }
    for (const AclPeer::Row& row : rows_)
        row_pointers_.push_back(row.bytes);
    our_results_.assign(headers.size(), 0);
    their_results_.assign(headers.size(), 0);
    std::vector<double> our_chunks, their_chunks;
    for (unsigned round = 0; round < kRounds; ++round) {
        for (size_t at = 0; at < headers.size(); at += kChunk) {
            our_chunks.push_back(ours(at, kChunk));
            if (peer_ != nullptr) their_chunks.push_back(theirs(at, kChunk));
        }
    }
    for (size_t i = 0; peer_ != nullptr && i < headers.size(); ++i) {
        if (our_results_[i] + 1 == their_results_[i]) continue;
        std::fprintf(stderr, "header %zu: rule %u here, %u there\n", i, our_results_[i],
                     their_results_[i] - 1);
        std::exit(1);
    }
    our_cycles = median(our_chunks);
    their_cycles = their_chunks.empty() ? 0 : median(their_chunks);
}

void Contest::run() {
    double typical = 0, their_typical = 0, hard = 0, their_hard = 0;
    take_turns(typical_, typical, their_typical);
    take_turns(hardest_, hard, their_hard);
    std::printf(
        "%-4s v%d %7zu | %6.1f %6.1f %5.2f | %6.1f %6.1f | %5.2f | %7.0f %7.0f | %7.2f %7.2f | "
        "%zu\n",
        to_string(flavour_).data(), family_ == Family::Ipv4 ? 4 : 6, rules_, typical, their_typical,
        typical / their_typical, hard, their_hard, hard / typical, build_ms_,
        peer_ ? peer_->build_ms() : 0, static_cast<double>(index_->size_bytes()) / 1e6,
        peer_ ? static_cast<double>(peer_->size_bytes()) / 1e6 : 0, index_->trees(family_).size());
    if (std::getenv("VERBOSE") != nullptr) {
        for (const CutTree& tree : index_->trees(family_)) {
            double nodes = 0, blocks = 0;
            for (const Header& header : typical_) {
                const Tuple tuple = tuple_of(header, family_);
                RuleKey key;
                make_key(key, {tuple, CtClass::New, Direction::Original, 0, 1}, attributes_);
                const auto depth = tree.depth(key);
                nodes += depth.nodes;
                blocks += depth.blocks;
            }
            std::printf("   tree %.2f nodes %.2f blocks %.1f kB\n", nodes / kHeaders,
                        blocks / kHeaders, static_cast<double>(tree.size_bytes()) / 1e3);
        }
    }
    std::fflush(stdout);
}

}  // namespace
}  // namespace rampart::bench

int main(int argc, char** argv) {
    using namespace rampart;
    using namespace rampart::bench;
    size_t only_rules = 0;
    std::string only_family, only_flavour;
    bool huge = false, alone = false;
    for (int i = 1; i < argc; ++i) {
        const std::string word = argv[i];
        if (word == "--huge") huge = true;
        if (word == "--alone") alone = true;
        if (i + 1 == argc) continue;
        if (word == "--rules") only_rules = static_cast<size_t>(std::atoi(argv[i + 1]));
        if (word == "--family") only_family = argv[i + 1];
        if (word == "--flavour") only_flavour = argv[i + 1];
    }
    std::vector<std::string> arguments = {"classifier-bench", "-l",         "0", "--no-pci",
                                          "--no-telemetry",   "--no-shconf"};
    if (!huge)
        arguments.insert(arguments.end(), {"--no-huge", "-m", "3000"});
    else
        arguments.push_back("--in-memory");
    const auto eal = Eal::start(arguments);
    if (!eal) {
        std::fprintf(stderr, "%s\n", eal.error().message.c_str());
        return 1;
    }
    std::printf(
        "                 | typical            | adversarial   |  to   | build, ms      | MB\n"
        "set  IP    rules |   ours    acl ratio |  ours    acl  |typical|   ours     acl |  ours   "
        " acl | trees\n");
    for (const size_t rules : {size_t{1000}, size_t{10000}, size_t{100000}}) {
        if (only_rules != 0 && rules != only_rules) continue;
        for (const Family family : {Family::Ipv4, Family::Ipv6}) {
            if (!only_family.empty() && (only_family == "4") != (family == Family::Ipv4)) continue;
            for (const Flavour flavour : kFlavours) {
                if (!only_flavour.empty() && only_flavour != to_string(flavour)) continue;
                Contest(flavour, family, rules, !alone).run();
            }
        }
    }
    return 0;
}
