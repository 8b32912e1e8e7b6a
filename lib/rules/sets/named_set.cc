#include "rules/sets/named_set.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace rampart {
namespace {

constexpr uint64_t kNanoseconds = 1'000'000'000;
constexpr uint32_t kPorts = 65536;
constexpr uint32_t kShapeInUse = 1u << 31;

Tick deadline_after(uint32_t seconds, Tick now) noexcept {
    if (seconds == 0) return kNoDeadline;
    return std::max<Tick>(now + ticks_of_seconds(seconds), 1);
}

uint32_t shape_of(const SetElement& element) noexcept {
    return kShapeInUse | static_cast<uint32_t>(element.family) << 16 |
           uint32_t{element.length[0]} << 8 | element.length[1];
}

}  // namespace

bool NamedSet::is_prefix_type(const SetType& type, bool is_dynamic) noexcept {
    return type.count == 1 &&
           (type.parts[0] == SetPart::Net || (type.parts[0] == SetPart::Ip && !is_dynamic));
}

NamedSet::NamedSet(SetOptions options, const KeyedHash& hash)
    : options_(std::move(options)), hash_(hash), counts_(nullptr, std::free) {
    timeout_s_.store(options_.timeout_s);
    const SetPart first = options_.type->parts[0];
    if (is_prefix_type(*options_.type, options_.is_dynamic)) {
        kind_ = Kind::Prefix;
        prefixes4_ = std::make_unique<PrefixTable<uint32_t>>(options_.has_counters);
        prefixes6_ = std::make_unique<PrefixTable<Word128>>(options_.has_counters);
        if (options_.has_counters)
            counts_.reset(
                static_cast<Counts*>(std::calloc(size_t{options_.max} + 1, sizeof(Counts))));
    } else if (first == SetPart::Port || first == SetPart::Iface) {
        kind_ = Kind::Direct;
        direct_ = std::make_unique<DirectTable>(
            first == SetPart::Port ? kPorts : static_cast<uint32_t>(kMaxInterfaces),
            options_.is_dynamic, options_.has_counters);
    } else {
        kind_ = Kind::Hash;
        owned_hash_table_ = make_hash_table();
        hash_table_.store(owned_hash_table_.get());
    }
}

NamedSet::~NamedSet() = default;

std::unique_ptr<HashTable> NamedSet::make_hash_table() const {
    const bool has_two = options_.type->count == 2 && options_.type->parts[1] == SetPart::Net;
    return std::make_unique<HashTable>(
        HashTable::Options{.max = options_.max,
                           .words = has_two ? SetKey::kWords : SetKey::kShortWords,
                           .hides_expired = options_.is_dynamic,
                           .has_counters = options_.has_counters},
        hash_);
}

uint32_t NamedSet::number_of(const SetElement& element) const noexcept {
    return options_.type->parts[0] == SetPart::Port ? element.port : element.interface;
}

// Where a packet's element is, under any of the prefix lengths in use.
uint32_t NamedSet::find_slot(const SetElement& element, Tick now) const noexcept {
    const HashTable& table = *hash_table_.load(std::memory_order_acquire);
    if (!options_.type->has(SetPart::Net)) return table.find(element.key(), now);
    for (const std::atomic<uint32_t>& entry : shapes_) {
        const uint32_t shape = entry.load(std::memory_order_acquire);
        if (shape == 0) break;
        if ((shape >> 16 & 0xff) != static_cast<uint32_t>(element.family)) continue;
        const SetElement masked =
            element.masked(static_cast<uint8_t>(shape >> 8), static_cast<uint8_t>(shape));
        const uint32_t slot = table.find(masked.key(), now);
        if (slot != HashTable::kNoSlot) return slot;
    }
    return HashTable::kNoSlot;
}

bool NamedSet::holds(const SetElement& element, Tick now) const noexcept {
    switch (kind_) {
        case Kind::Prefix:
            if (element.family == Family::Ipv4)
                return prefixes4_->find(word4_of(element.address[0])) !=
                       PrefixTable<uint32_t>::kAbsent;
            return prefixes6_->find(word6_of(element.address[0])) != PrefixTable<Word128>::kAbsent;
        case Kind::Hash:
            return find_slot(element, now) != HashTable::kNoSlot;
        case Kind::Direct:
            break;
    }
    return direct_->find(number_of(element), now);
}

void NamedSet::count(const SetElement& element, Tick now, uint64_t bytes) noexcept {
    if (!options_.has_counters) return;
    if (kind_ == Kind::Direct) {
        const uint32_t number = number_of(element);
        if (direct_->find(number, now)) direct_->count(number, bytes);
        return;
    }
    if (kind_ == Kind::Hash) {
        const uint32_t slot = find_slot(element, now);
        if (slot != HashTable::kNoSlot) hash_table_.load()->count(slot, bytes);
        return;
    }
    const uint32_t label = element.family == Family::Ipv4
                               ? prefixes4_->find(word4_of(element.address[0]))
                               : prefixes6_->find(word6_of(element.address[0]));
    if (label == 0 || label > options_.max || counts_ == nullptr) return;
    counts_[label].packets.fetch_add(1, std::memory_order_relaxed);
    counts_[label].bytes.fetch_add(bytes, std::memory_order_relaxed);
}

Addition NamedSet::add_from_packet(const SetElement& element, uint32_t timeout_s,
                                   Tick now) noexcept {
    if (timeout_s == 0) timeout_s = timeout_s_.load();
    const Tick deadline = deadline_after(timeout_s, now);
    Addition addition;
    if (kind_ == Kind::Direct)
        addition = direct_->add(number_of(element), deadline, now, true);
    else
        addition =
            hash_table_.load(std::memory_order_acquire)->add(element.key(), deadline, now, true);
    if (addition == Addition::Refused) refused_.fetch_add(1, std::memory_order_relaxed);
    return addition;
}

bool NamedSet::remove_from_packet(const SetElement& element) noexcept {
    if (kind_ == Kind::Direct) return direct_->remove(number_of(element));
    return hash_table_.load(std::memory_order_acquire)->remove(element.key());
}

// Of the lengths that are in use; what no element has any more stays, and costs a look-up.
bool NamedSet::add_shape(const SetElement& element) {
    if (!options_.type->has(SetPart::Net)) return true;
    const uint32_t shape = shape_of(element);
    for (std::atomic<uint32_t>& entry : shapes_) {
        if (entry.load(std::memory_order_relaxed) == shape) return true;
        if (entry.load(std::memory_order_relaxed) != 0) continue;
        entry.store(shape, std::memory_order_release);
        return true;
    }
    return false;
}

void NamedSet::set_due(const SetElement& element, uint64_t due_ns) {
    const SetKey key = element.key();
    const auto known = due_.find(key);
    if (known != due_.end()) {
        by_due_.erase({known->second, key});
        due_.erase(known);
    }
    if (due_ns == 0) return;
    due_.emplace(key, due_ns);
    by_due_.emplace(due_ns, key);
}

// kNoLabel: nothing is kept about elements.
uint32_t NamedSet::take_label() {
    if (!options_.has_counters) return 0;
    uint32_t label = next_label_;
    if (!free_labels_.empty()) {
        label = free_labels_.back();
        free_labels_.pop_back();
    } else if (next_label_ > options_.max) {
        return 0;
    } else {
        ++next_label_;
    }
    counts_[label].packets.store(0, std::memory_order_relaxed);
    counts_[label].bytes.store(0, std::memory_order_relaxed);
    return label;
}

template <typename Word>
Addition NamedSet::insert_prefix(PrefixTable<Word>& table, Word first, const SetElement& element,
                                 uint64_t due_ns, bool at_run_time) {
    if (table.element(first, element.length[0]) != nullptr) {
        // What stays for ever goes on to do so.
        if (due_.contains(element.key())) set_due(element, due_ns);
        return Addition::Refreshed;
    }
    if (size() >= options_.max) return Addition::Refused;
    table.add({first, take_label(), element.length[0], at_run_time}, retired_);
    set_due(element, due_ns);
    return Addition::Added;
}

template <typename Word>
bool NamedSet::remove_prefix(PrefixTable<Word>& table, Word first, unsigned length) {
    const auto removed = table.remove(first, length, retired_);
    if (removed && removed->label != 0) free_labels_.push_back(removed->label);
    return removed.has_value();
}

Addition NamedSet::add_at(const SetElement& element, uint64_t due_ns, const Now& now,
                          bool at_run_time) {
    Addition addition = Addition::Refused;
    if (kind_ == Kind::Prefix) {
        addition = element.family == Family::Ipv4
                       ? insert_prefix(*prefixes4_, word4_of(element.address[0]), element, due_ns,
                                       at_run_time)
                       : insert_prefix(*prefixes6_, word6_of(element.address[0]), element, due_ns,
                                       at_run_time);
    } else {
        const uint64_t left = due_ns > now.ns ? due_ns - now.ns : 1;
        const Tick deadline =
            due_ns == 0
                ? kNoDeadline
                : std::max<Tick>(now.tick + static_cast<Tick>(left / kNanosecondsPerTick), 1);
        if (kind_ == Kind::Direct)
            addition = direct_->add(number_of(element), deadline, now.tick, at_run_time);
        else if (add_shape(element))
            addition = owned_hash_table_->add(element.key(), deadline, now.tick, at_run_time);
    }
    if (addition == Addition::Refused) refused_.fetch_add(1, std::memory_order_relaxed);
    return addition;
}

Addition NamedSet::add(const SetElement& element, uint32_t timeout_s, const Now& now) {
    return add_at(element, timeout_s == 0 ? 0 : now.ns + timeout_s * kNanoseconds, now, true);
}

bool NamedSet::remove(const SetElement& element) {
    if (kind_ == Kind::Direct) return direct_->remove(number_of(element));
    if (kind_ == Kind::Hash) return owned_hash_table_->remove(element.key());
    set_due(element, 0);
    return element.family == Family::Ipv4
               ? remove_prefix(*prefixes4_, word4_of(element.address[0]), element.length[0])
               : remove_prefix(*prefixes6_, word6_of(element.address[0]), element.length[0]);
}

bool NamedSet::test(const SetElement& element, const Now& now) const {
    const unsigned bits = address_bits(element.family);
    const bool is_packet =
        element.length[0] == bits && (element.length[1] == bits || element.length[1] == 0);
    if (kind_ == Kind::Direct || (kind_ == Kind::Prefix && is_packet))
        return holds(element, now.tick);
    if (kind_ == Kind::Hash)
        return (is_packet && holds(element, now.tick)) ||
               owned_hash_table_->find(element.key(), now.tick) != HashTable::kNoSlot;
    if (element.family == Family::Ipv4)
        return std::as_const(*prefixes4_)
                   .element(word4_of(element.address[0]), element.length[0]) != nullptr;
    return std::as_const(*prefixes6_).element(word6_of(element.address[0]), element.length[0]) !=
           nullptr;
}

void NamedSet::clear() {
    if (kind_ == Kind::Direct) {
        for (uint32_t number = 0; number < direct_->numbers(); ++number)
            direct_->remove(number);
    } else if (kind_ == Kind::Hash) {
        owned_hash_table_->clear();
    } else {
        prefixes4_->assign({}, retired_);
        prefixes6_->assign({}, retired_);
        due_.clear();
        by_due_.clear();
        next_label_ = 1;
        free_labels_.clear();
    }
}

bool NamedSet::sweep(const Now& now) {
    if (kind_ == Kind::Prefix) {
        bool any = false;
        for (uint32_t i = 0; i < 1024 && !by_due_.empty(); ++i) {
            const auto [due_ns, key] = *by_due_.begin();
            if (due_ns > now.ns) break;
            remove(SetElement::from_key(key));
            any = true;
        }
        return any;
    }
    const uint32_t end = kind_ == Kind::Direct ? direct_->numbers() : owned_hash_table_->slots();
    const uint32_t last = std::min(swept_ + end / kSweepSlices + 1, end);
    const uint32_t freed = kind_ == Kind::Direct ? direct_->sweep(swept_, last, now.tick)
                                                 : owned_hash_table_->sweep(swept_, last, now.tick);
    swept_ = last == end ? 0 : last;
    return freed != 0;
}

size_t NamedSet::size() const noexcept {
    if (kind_ == Kind::Direct) return direct_->size();
    if (kind_ == Kind::Hash) return owned_hash_table_->size();
    return prefixes4_->size() + prefixes6_->size();
}

size_t NamedSet::memory_bytes() const noexcept {
    if (kind_ == Kind::Direct) return direct_->memory_bytes();
    if (kind_ == Kind::Hash) return owned_hash_table_->memory_bytes();
    return prefixes4_->memory_bytes() + prefixes6_->memory_bytes() +
           (counts_ != nullptr ? next_label_ * sizeof(Counts) : 0) +
           due_.size() * 2 * (sizeof(SetKey) + 48);
}

}  // namespace rampart
