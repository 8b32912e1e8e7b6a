// Whole contents of a set: from the configuration, from the set before it, and listed.

#include <algorithm>

#include "rules/sets/named_set.h"

namespace rampart {
namespace {

constexpr uint64_t kNanoseconds = 1'000'000'000;

template <typename Element>
void sort_and_unite(std::vector<Element>& elements) {
    const auto is_less = [](const Element& a, const Element& b) { return a.is_before(b); };
    if (!std::is_sorted(elements.begin(), elements.end(), is_less))
        std::sort(elements.begin(), elements.end(), is_less);
    elements.erase(std::unique(elements.begin(), elements.end(),
                               [](const Element& a, const Element& b) {
                                   return a.first == b.first && a.length == b.length;
                               }),
                   elements.end());
}

bool is_before(const SetElement& a, const SetElement& b) {
    return a.interface != b.interface ? a.interface < b.interface : a.key() < b.key();
}

uint32_t seconds_until(uint64_t due_ns, uint64_t now_ns) {
    return due_ns <= now_ns
               ? 1
               : static_cast<uint32_t>((due_ns - now_ns + kNanoseconds - 1) / kNanoseconds);
}

}  // namespace

void SetContents::add(const SetElement& element, bool is_prefix_set) {
    if (!is_prefix_set)
        others.push_back(element);
    else if (element.family == Family::Ipv4)
        prefixes4.push_back({word4_of(element.address[0]), 0, element.length[0], false});
    else
        prefixes6.push_back({word6_of(element.address[0]), 0, element.length[0], false});
}

bool SetContents::contains(const SetElement& element) const {
    return std::binary_search(others.begin(), others.end(), element, is_before);
}

size_t SetContents::finish() {
    sort_and_unite(prefixes4);
    sort_and_unite(prefixes6);
    std::sort(others.begin(), others.end(), is_before);
    others.erase(std::unique(others.begin(), others.end()), others.end());
    return prefixes4.size() + prefixes6.size() + others.size();
}

template <typename Word>
void NamedSet::assign_prefixes(PrefixTable<Word>& table,
                               std::vector<typename PrefixTable<Word>::Element> elements) {
    for (auto& element : elements) {
        const auto* known = table.element(element.first, element.length);
        if (known != nullptr && known->label != 0) element.label = known->label;
    }
    // What was added at run time stays, as far as there is room.
    size_t room = options_.max - std::min<size_t>(options_.max, elements.size());
    for (const auto* known = table.first_element(); known != nullptr;
         known = table.next_after(known->first, known->length)) {
        const bool is_kept =
            known->at_run_time && room != 0 &&
            !std::binary_search(elements.begin(), elements.end(), *known,
                                [](const auto& a, const auto& b) { return a.is_before(b); });
        if (is_kept) --room;
        if (is_kept) elements.push_back(*known);
    }
    std::vector<bool> in_use(options_.has_counters ? next_label_ : 0);
    for (const auto& element : elements)
        if (element.label != 0) in_use[element.label] = true;
    for (const auto* known = table.first_element(); known != nullptr;
         known = table.next_after(known->first, known->length))
        if (known->label != 0 && !in_use[known->label]) free_labels_.push_back(known->label);
    for (auto& element : elements)
        if (element.label == 0) element.label = take_label();
    table.assign(std::move(elements), retired_);
}

void NamedSet::assign(SetContents contents, const Now& now) {
    if (kind_ == Kind::Prefix) {
        assign_prefixes(*prefixes4_, std::move(contents.prefixes4));
        assign_prefixes(*prefixes6_, std::move(contents.prefixes6));
        std::vector<SetKey> gone;
        for (const auto& [key, due] : due_) {
            const SetElement element = SetElement::from_key(key);
            const auto is_gone = [](const auto* known) {
                return known == nullptr || !known->at_run_time;
            };
            const bool is_over =
                element.family == Family::Ipv4
                    ? is_gone(prefixes4_->element(word4_of(element.address[0]), element.length[0]))
                    : is_gone(prefixes6_->element(word6_of(element.address[0]), element.length[0]));
            if (is_over) gone.push_back(key);
        }
        for (const SetKey& key : gone)
            set_due(SetElement::from_key(key), 0);
        return;
    }
    if (kind_ == Kind::Direct) {
        std::vector<bool> wanted(direct_->numbers());
        for (const SetElement& element : contents.others)
            wanted[number_of(element)] = true;
        for (uint32_t number = 0; number < direct_->numbers(); ++number) {
            if (wanted[number])
                direct_->add(number, kNoDeadline, now.tick, false);
            else if (direct_->has(number) && !direct_->entry(number).at_run_time)
                direct_->remove(number);
        }
        return;
    }
    // A table of its own, so that workers see the old contents or the new.
    std::unique_ptr<HashTable> fresh = make_hash_table();
    for (const SetElement& element : contents.others) {
        if (add_shape(element)) fresh->add(element.key(), kNoDeadline, now.tick, false);
    }
    for (uint32_t slot = 0; slot < owned_hash_table_->slots(); ++slot) {
        const auto entry = owned_hash_table_->entry(slot);
        if (entry && entry->at_run_time) fresh->add(entry->key, entry->deadline, now.tick, true);
    }
    hash_table_.store(fresh.get(), std::memory_order_release);
    std::swap(owned_hash_table_, fresh);
    retired_.emplace_back(std::move(fresh));
    swept_ = 0;
}

void NamedSet::set_counts(const SetElement& element, uint64_t packets, uint64_t bytes) {
    if (kind_ == Kind::Direct) return direct_->set_counts(number_of(element), packets, bytes);
    if (kind_ == Kind::Hash) {
        const uint32_t slot = owned_hash_table_->find(element.key(), 0);
        if (slot != HashTable::kNoSlot) owned_hash_table_->set_counts(slot, packets, bytes);
        return;
    }
    uint32_t label = 0;
    if (element.family == Family::Ipv4) {
        const auto* known = prefixes4_->element(word4_of(element.address[0]), element.length[0]);
        if (known != nullptr) label = known->label;
    } else {
        const auto* known = prefixes6_->element(word6_of(element.address[0]), element.length[0]);
        if (known != nullptr) label = known->label;
    }
    if (label == 0) return;
    counts_[label].packets.store(packets, std::memory_order_relaxed);
    counts_[label].bytes.store(bytes, std::memory_order_relaxed);
}

void NamedSet::adopt(const NamedSet& earlier, const Now& now) {
    SetCursor cursor;
    SetEntry entry;
    while (earlier.next(cursor, entry, now)) {
        if (entry.at_run_time)
            add_at(entry.element,
                   entry.seconds_left == 0 ? 0 : now.ns + entry.seconds_left * kNanoseconds, now,
                   true);
        if (options_.has_counters && entry.packets != 0)
            set_counts(entry.element, entry.packets, entry.bytes);
    }
}

template <typename Word>
bool NamedSet::next_prefix(const PrefixTable<Word>& table, SetCursor& cursor, SetEntry& entry,
                           const Now& now) const {
    const auto* found = table.first_element();
    if (cursor.has_begun) {
        if constexpr (sizeof(Word) == 4)
            found = table.next_after(word4_of(cursor.last.address[0]), cursor.last.length[0]);
        else
            found = table.next_after(word6_of(cursor.last.address[0]), cursor.last.length[0]);
    }
    if (found == nullptr) return false;
    entry = {};
    entry.element.address[0] = bytes_of(found->first);
    entry.element.length[0] = found->length;
    entry.element.family = sizeof(Word) == 4 ? Family::Ipv4 : Family::Ipv6;
    entry.at_run_time = found->at_run_time;
    const auto due = due_.find(entry.element.key());
    if (due != due_.end()) entry.seconds_left = seconds_until(due->second, now.ns);
    if (found->label != 0) {
        entry.packets = counts_[found->label].packets.load(std::memory_order_relaxed);
        entry.bytes = counts_[found->label].bytes.load(std::memory_order_relaxed);
    }
    cursor.last = entry.element;
    cursor.has_begun = true;
    return true;
}

bool NamedSet::next(SetCursor& cursor, SetEntry& entry, const Now& now) const {
    if (kind_ == Kind::Prefix) {
        if (cursor.part == 0) {
            if (next_prefix(*prefixes4_, cursor, entry, now)) return true;
            cursor = {.part = 1, .has_begun = false, .last = {}, .slot = 0};
        }
        return next_prefix(*prefixes6_, cursor, entry, now);
    }
    const uint32_t end = kind_ == Kind::Direct ? direct_->numbers() : owned_hash_table_->slots();
    while (cursor.slot < end) {
        const uint32_t slot = cursor.slot++;
        if (kind_ == Kind::Direct && !direct_->has(slot)) continue;
        const auto found =
            kind_ == Kind::Direct ? direct_->entry(slot) : owned_hash_table_->entry(slot);
        if (!found) continue;
        const bool is_timed = found->deadline != kNoDeadline;
        if (is_timed && is_past(found->deadline, now.tick)) continue;
        entry = {};
        if (kind_ == Kind::Hash)
            entry.element = SetElement::from_key(found->key);
        else if (options_.type->parts[0] == SetPart::Port)
            entry.element.port = static_cast<uint16_t>(slot);
        else
            entry.element.interface = static_cast<InterfaceIndex>(slot);
        if (is_timed)
            entry.seconds_left =
                (ticks_left(found->deadline, now.tick) + kTicksPerSecond - 1) / kTicksPerSecond;
        entry.at_run_time = found->at_run_time;
        entry.packets = found->packets;
        entry.bytes = found->bytes;
        return true;
    }
    return false;
}

}  // namespace rampart
