#include "control/packet_tracer.h"

#include <algorithm>
#include <array>

#include "conntrack/tracker.h"
#include "packet/parser.h"
#include "rules/walk.h"

namespace rampart {
namespace {

// More rules than any packet should match on its way.
constexpr uint32_t kPathCapacity = 4096;

const Chain* chain_of(const Ruleset& ruleset, const Rule& rule) {
    for (const Chain& chain : ruleset.chains)
        for (const Rule& other : chain.rules)
            if (&other == &rule) return &chain;
    return nullptr;
}

// The rules that a recorded path names.
std::vector<MatchedRule> rules_on(const Ruleset& ruleset, const Chain& base, const PathTable& paths,
                                  PathId path) {
    std::vector<MatchedRule> matched;
    for (PathId at = path; at != kRootPath && at != kNoPath; at = paths.node(at).parent.load()) {
        const RuleIndex index = paths.node(at).rule.load();
        MatchedRule item{
            .chain = &base, .rule = ruleset.rules[index], .is_implicit = false, .passed = {}};
        if (item.rule != nullptr)
            item.chain = chain_of(ruleset, *item.rule);
        else
            item.is_implicit = index != base.policy_index;
        matched.push_back(std::move(item));
    }
    std::reverse(matched.begin(), matched.end());
    return matched;
}

// Goes the way of the walk once more, to tell why the rules between those that matched did not.
class WayFinder {
  public:
    WayFinder(const Ruleset& ruleset, TracedWalk& walk, RuleInput& input)
        : ruleset_(ruleset), walk_(walk), input_(input) {}

    void run() {
        Place at{walk_.base, 0};
        for (MatchedRule& matched : walk_.rules) {
            if (!go_to(matched, at)) return;
            if (matched.rule != nullptr) follow(*matched.rule, at);
        }
    }

  private:
    struct Place {
        const Chain* chain;
        size_t next_rule;
    };

    // False: not found, which only a rule that was changed meanwhile can cause.
    bool go_to(MatchedRule& matched, Place& at) {
        for (;;) {
            if (at.next_rule == at.chain->rules.size()) {
                if (callers_.empty()) return matched.rule == nullptr;
                at = callers_.back();
                callers_.pop_back();
                continue;
            }
            const Rule& rule = at.chain->rules[at.next_rule++];
            if (&rule == matched.rule) return true;
            matched.passed.push_back({at.chain, &rule, failed_match(rule)});
        }
    }

    void follow(const Rule& rule, Place& at) {
        input_.rule = &rule;
        for (const Statement& statement : rule.statements)
            if (statement.type->execute != nullptr)
                statement.type->execute(statement.arguments, input_);
        switch (rule.decision.step) {
            case Step::Return:
                at.next_rule = at.chain->rules.size();
                break;
            case Step::Jump:
                callers_.push_back(at);
                [[fallthrough]];
            case Step::Goto:
                at = {&ruleset_.chains[rule.decision.chain], 0};
                break;
            case Step::Continue:
            case Step::Accept:
            case Step::Drop:
            case Step::Reject:
            case Step::Notrack:
            case Step::Translate:
                break;
        }
    }

    const Match* failed_match(const Rule& rule) const {
        for (const Match& match : rule.matches)
            if (!match.matches(input_)) return &match;
        return nullptr;
    }

    const Ruleset& ruleset_;
    TracedWalk& walk_;
    RuleInput& input_;
    std::vector<Place> callers_;
};

class Tracer {
  public:
    Tracer(const Snapshot& snapshot, PacketQuestion question, uint64_t wall_ns, bool with_passed)
        : snapshot_(snapshot),
          question_(std::move(question)),
          with_passed_(with_passed),
          paths_(snapshot.ruleset.index_count, kPathCapacity) {
        now_.wall_ns = question_.wall_ns.value_or(wall_ns);
    }

    TracedPacket run();

  private:
    bool parse();
    bool judge_raw();
    void track();
    bool forward();
    void judge();
    Judgement walk_chain(int chain, CtClass ct_class, Flow* flow);
    RuleInput input_of(Packet& packet, CtClass ct_class, Flow* flow) const;
    void make_up(Flow& flow) const;
    void drop(DropReason reason) {
        result_.verdict = Verdict::Drop;
        result_.reason = reason;
    }

    const Snapshot& snapshot_;
    PacketQuestion question_;
    bool with_passed_;
    PathTable paths_;
    Now now_{};
    Packet packet_;
    Tuple tuple_;
    TracedPacket result_;
};

TracedPacket Tracer::run() {
    if (!parse() || !judge_raw()) return std::move(result_);
    track();
    if (forward()) judge();
    return std::move(result_);
}

bool Tracer::parse() {
    packet_.in_port = result_.in = question_.in;
    packet_.out_port = kNoInterface;
    const ParseOutcome outcome =
        parse_frame(packet_, question_.frame.data(), static_cast<uint32_t>(question_.frame.size()),
                    question_.frame_length, {.verify_ip_checksum = true});
    if (outcome.kind != FrameKind::Ip) {
        drop(outcome.kind == FrameKind::Drop ? outcome.reason : DropReason::EtherType);
        return false;
    }
    packet_.is_datagram = question_.is_datagram;
    packet_.mark = question_.mark;
    tuple_ = tuple_of(packet_);
    result_.tuple = tuple_;
    result_.ip_length = packet_.ip_length;
    return true;
}

// What the datapath would find out about the flow, from what the question says.
void Tracer::track() {
    result_.has_class = true;
    if (result_.is_notracked) {
        result_.ct_class = CtClass::Untracked;
    } else if (packet_.invalid != InvalidReason::None) {
        result_.ct_class = CtClass::Invalid;
        result_.invalid = packet_.invalid;
    } else if (is_never_tracked(packet_, snapshot_.conntrack) &&
               question_.state != CtClass::Invalid) {
        result_.ct_class = CtClass::Untracked;
    } else if (question_.state) {
        result_.ct_class = *question_.state;
    } else if (packet_.is_icmp_error) {  // quotes a packet of no flow
        result_.ct_class = CtClass::Invalid;
        result_.invalid = InvalidReason::IcmpUnrelated;
    } else {
        Flow scratch;
        const TrackOutcome outcome =
            tracker_of(packet_.protocol)
                .first({packet_, scratch, Direction::Original, snapshot_.conntrack, now_.tick});
        const bool is_invalid = outcome.result == TrackResult::Invalid;
        result_.ct_class = is_invalid ? CtClass::Invalid : CtClass::New;
        if (is_invalid) result_.invalid = outcome.reason;
    }
}

bool Tracer::judge_raw() {
    const Ruleset& ruleset = snapshot_.ruleset;
    if (ruleset.raw == Ruleset::kNoChain) return true;
    const Judgement judgement = walk_chain(ruleset.raw, CtClass::Untracked, nullptr);
    result_.is_notracked = judgement.step == Step::Notrack;
    if (result_.is_notracked) packet_.invalid = InvalidReason::None;
    if (judgement.step == Step::Accept || judgement.step == Step::Notrack) return true;
    drop(judgement.by_policy ? DropReason::Policy : DropReason::Rule);
    return false;
}

bool Tracer::forward() {
    packet_.out_port = question_.out != kNoInterface
                           ? question_.out
                           : snapshot_.ruleset.names.interfaces[question_.in].bridge_peer;
    if (packet_.out_port != kNoInterface) return true;
    drop(DropReason::NoPeer);
    return false;
}

void Tracer::make_up(Flow& flow) const {
    uint16_t status = question_.ct_status;
    if (result_.ct_class == CtClass::Established)
        status |= flow_status::kSeenReply | flow_status::kConfirmed;
    if (result_.ct_class == CtClass::Related && !packet_.is_icmp_error)
        status |= flow_status::kExpected;
    flow.status.store(status);
    flow.mark.store(question_.ct_mark);
}

void Tracer::judge() {
    const Ruleset& ruleset = snapshot_.ruleset;
    if (ruleset.forward == Ruleset::kNoChain) return drop(DropReason::NoPolicy);
    Flow flow;
    make_up(flow);
    const bool has_flow =
        result_.ct_class != CtClass::Invalid && result_.ct_class != CtClass::Untracked;
    const Judgement judgement =
        walk_chain(ruleset.forward, result_.ct_class, has_flow ? &flow : nullptr);
    result_.reject_with = judgement.reject_with;
    if (judgement.step == Step::Accept) {
        result_.verdict = Verdict::Forward;
        result_.out = packet_.out_port;
    } else if (judgement.step == Step::Reject) {
        drop(DropReason::Reject);
    } else {
        drop(judgement.by_policy ? DropReason::Policy : DropReason::Rule);
    }
}

RuleInput Tracer::input_of(Packet& packet, CtClass ct_class, Flow* flow) const {
    return {.packet = packet,
            .tuple = tuple_,
            .ct_class = ct_class,
            .direction = question_.direction,
            .in = packet.in_port,
            .out = packet.out_port,
            .flow = flow,
            .status = flow == nullptr ? uint16_t{0} : flow->status.load(),
            .now = now_,
            .interfaces = snapshot_.ruleset.names.interfaces,
            .is_rehearsal = true,
            .generation = snapshot_.generation};
}

Judgement Tracer::walk_chain(int chain, CtClass ct_class, Flow* flow) {
    const Ruleset& ruleset = snapshot_.ruleset;
    Packet packet_before = packet_;
    std::vector<uint8_t> frame_before = question_.frame;
    Flow flow_before;
    make_up(flow_before);

    RuleInput input = input_of(packet_, ct_class, flow);
    const Judgement judgement = walk(ruleset, chain, input, paths_, packet_.ip_length);
    const Chain& base = ruleset.chains[static_cast<size_t>(chain)];
    TracedWalk walk{&base, rules_on(ruleset, base, paths_, judgement.path)};
    if (with_passed_) {
        packet_before.frame = frame_before.data();
        RuleInput again =
            input_of(packet_before, ct_class, flow == nullptr ? nullptr : &flow_before);
        WayFinder(ruleset, walk, again).run();
    }
    result_.walks.push_back(std::move(walk));
    return judgement;
}

}  // namespace

TracedPacket trace_packet(const Snapshot& snapshot, PacketQuestion question, uint64_t wall_ns,
                          bool with_passed) {
    return Tracer(snapshot, std::move(question), wall_ns, with_passed).run();
}

}  // namespace rampart
