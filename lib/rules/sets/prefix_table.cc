#include "rules/sets/prefix_table.h"

#include <algorithm>
#include <utility>

namespace rampart {
namespace {

// Elements of a chunk after a split or an assignment; twice as many make it split.
constexpr size_t kElementsPerChunk = 256;

// How many of the sorted `words` are not greater than `word`. Without branches: which way it goes
// is the sender's choice.
template <typename Word>
size_t rank_of(const Word* words, size_t count, Word word) noexcept {
    const Word* base = words;
    while (count > 1) {
        const size_t half = count / 2;
        base += base[half - 1] <= word ? half : 0;
        count -= half;
    }
    return static_cast<size_t>(base - words) + (count == 1 && *base <= word ? 1 : 0);
}

// The segments of a chunk as they come, in order.
template <typename Word>
class SegmentWriter {
  public:
    explicit SegmentWriter(bool is_labelled) : is_labelled_(is_labelled) {}

    void add(Word first, Word last, uint32_t label) {
        if (!is_labelled_ && !lasts_.empty() && first == static_cast<Word>(lasts_.back() + 1)) {
            lasts_.back() = last;
            return;
        }
        firsts_.push_back(first);
        lasts_.push_back(last);
        if (is_labelled_) labels_.push_back(label);
    }

    std::unique_ptr<const Word[]> take() const {
        const size_t count = firsts_.size();
        if (count == 0) return nullptr;
        auto words = std::make_unique<Word[]>(1 + 2 * count + labels_.size());
        words[0] = static_cast<Word>(count);
        std::copy(firsts_.begin(), firsts_.end(), words.get() + 1);
        std::copy(lasts_.begin(), lasts_.end(), words.get() + 1 + count);
        std::copy(labels_.begin(), labels_.end(), words.get() + 1 + 2 * count);
        return words;
    }

  private:
    std::vector<Word> firsts_, lasts_;
    std::vector<uint32_t> labels_;
    bool is_labelled_;
};

}  // namespace

template <typename Word>
PrefixTable<Word>::PrefixTable(bool is_labelled) : is_labelled_(is_labelled) {
    RetiredList none;
    assign({}, none);
}

template <typename Word>
PrefixTable<Word>::~PrefixTable() = default;

template <typename Word>
uint32_t PrefixTable<Word>::find(Word word) const noexcept {
    const Root& root = *root_.load(std::memory_order_acquire);
    const size_t chunk = rank_of(root.starts.data(), root.starts.size(), word) - 1;
    const Word* segments = root.chunks[chunk].load(std::memory_order_acquire);
    if (segments == nullptr) return kAbsent;
    const size_t count = static_cast<size_t>(segments[0]);
    const size_t rank = rank_of(segments + 1, count, word);
    if (rank == 0 || segments[count + rank] < word) return kAbsent;
    return is_labelled_ ? static_cast<uint32_t>(segments[2 * count + rank]) : kNoLabel;
}

template <typename Word>
size_t PrefixTable<Word>::chunk_of(Word word) const noexcept {
    return rank_of(owned_root_->starts.data(), owned_root_->starts.size(), word) - 1;
}

// The elements that begin before `start` and hold it, the longest last.
template <typename Word>
std::vector<typename PrefixTable<Word>::Covering> PrefixTable<Word>::ancestors_of(
    Word start) const {
    std::vector<Covering> ancestors;
    for (unsigned length = 0; length <= kBits; ++length) {
        if (count_by_length_[length] == 0) continue;
        const Word first = static_cast<Word>(start & static_cast<Word>(~host_mask(length)));
        if (first == start) continue;
        if (const Element* found = element(first, length))
            ancestors.push_back({found->last(), found->label});
    }
    return ancestors;
}

template <typename Word>
typename PrefixTable<Word>::Segments PrefixTable<Word>::flatten(size_t chunk) const {
    const std::vector<Word>& starts = owned_root_->starts;
    const Word end = chunk + 1 < starts.size() ? static_cast<Word>(starts[chunk + 1] - 1)
                                               : static_cast<Word>(~Word{0});
    SegmentWriter<Word> writer(is_labelled_);
    std::vector<Covering> open = ancestors_of(starts[chunk]);
    Word next = starts[chunk];  // everything before is decided
    for (const Element& element : elements_[chunk]) {
        while (!open.empty() && open.back().last < element.first) {
            if (next <= open.back().last) {
                writer.add(next, open.back().last, open.back().label);
                next = static_cast<Word>(open.back().last + 1);
            }
            open.pop_back();
        }
        if (!open.empty() && next < element.first)
            writer.add(next, static_cast<Word>(element.first - 1), open.back().label);
        next = element.first;
        open.push_back({element.last(), element.label});
    }
    for (bool is_over = false; !open.empty() && !is_over; open.pop_back()) {
        const Word last = std::min(open.back().last, end);
        if (next > last) continue;
        writer.add(next, last, open.back().label);
        is_over = last == end;  // and beyond it there may be no address
        next = static_cast<Word>(last + 1);
    }
    return writer.take();
}

template <typename Word>
void PrefixTable<Word>::renew(size_t chunk, RetiredList& retired) {
    Segments fresh = flatten(chunk);
    owned_root_->chunks[chunk].store(fresh.get(), std::memory_order_release);
    std::swap(segments_[chunk], fresh);
    if (fresh != nullptr) retired.emplace_back(std::move(fresh));
}

template <typename Word>
void PrefixTable<Word>::renew_all(Word first, Word last, RetiredList& retired) {
    const size_t end = chunk_of(last);
    for (size_t chunk = chunk_of(first); chunk <= end; ++chunk)
        renew(chunk, retired);
}

// segments_ and elements_ have their new number of chunks, but no worker sees them yet.
template <typename Word>
void PrefixTable<Word>::publish_root(std::vector<Word> starts, RetiredList& retired) {
    auto root = std::make_unique<Root>();
    root->chunks = std::make_unique<std::atomic<const Word*>[]>(starts.size());
    for (size_t i = 0; i < starts.size(); ++i)
        root->chunks[i].store(segments_[i].get(), std::memory_order_relaxed);
    root->starts = std::move(starts);
    std::swap(owned_root_, root);
    root_.store(owned_root_.get(), std::memory_order_release);
    if (root != nullptr) retired.emplace_back(std::move(root));
}

template <typename Word>
void PrefixTable<Word>::assign(std::vector<Element> elements, RetiredList& retired) {
    std::stable_sort(elements.begin(), elements.end(),
                     [](const Element& a, const Element& b) { return a.is_before(b); });
    const auto is_same = [](const Element& a, const Element& b) {
        return a.first == b.first && a.length == b.length;
    };
    elements.erase(std::unique(elements.begin(), elements.end(), is_same), elements.end());
    std::fill(std::begin(count_by_length_), std::end(count_by_length_), 0);
    for (const Element& element : elements)
        ++count_by_length_[element.length];
    size_ = elements.size();
    elements_.clear();
    std::vector<Word> starts;
    for (size_t at = 0; at < elements.size() || starts.empty();) {
        size_t end = std::min(at + kElementsPerChunk, elements.size());
        // Prefixes that begin at one address stay together.
        while (end < elements.size() && elements[end].first == elements[end - 1].first)
            ++end;
        starts.push_back(starts.empty() ? Word{0} : elements[at].first);
        elements_.emplace_back(elements.begin() + static_cast<std::ptrdiff_t>(at),
                               elements.begin() + static_cast<std::ptrdiff_t>(end));
        at = end;
    }
    std::vector<Segments> old = std::move(segments_);
    segments_ = std::vector<Segments>(starts.size());
    // Flattened against the new starts before any worker sees them.
    auto root = std::make_unique<Root>();
    root->starts = starts;
    std::swap(owned_root_, root);
    for (size_t i = 0; i < starts.size(); ++i)
        segments_[i] = flatten(i);
    std::swap(owned_root_, root);
    publish_root(std::move(starts), retired);
    retired.emplace_back(std::move(old));
}

template <typename Word>
void PrefixTable<Word>::split(size_t chunk, RetiredList& retired) {
    std::vector<Element>& elements = elements_[chunk];
    size_t middle = elements.size() / 2;
    while (middle < elements.size() && elements[middle].first == elements[middle - 1].first)
        ++middle;
    if (middle == elements.size()) return;
    const auto at = static_cast<std::ptrdiff_t>(chunk) + 1;
    const auto cut = elements.begin() + static_cast<std::ptrdiff_t>(middle);
    std::vector<Word> starts = owned_root_->starts;
    starts.insert(starts.begin() + at, cut->first);
    std::vector<Element> upper(cut, elements.end());
    elements.erase(cut, elements.end());
    elements_.insert(elements_.begin() + at, std::move(upper));
    // Both halves are made before the root that knows them; the old chunk goes with the old root.
    auto root = std::make_unique<Root>();
    root->starts = starts;
    std::swap(owned_root_, root);
    Segments lower_half = flatten(chunk);
    Segments upper_half = flatten(chunk + 1);
    std::swap(owned_root_, root);
    std::swap(segments_[chunk], lower_half);
    segments_.insert(segments_.begin() + at, std::move(upper_half));
    publish_root(std::move(starts), retired);
    if (lower_half != nullptr) retired.emplace_back(std::move(lower_half));
}

template <typename Word>
bool PrefixTable<Word>::add(const Element& element, RetiredList& retired) {
    const size_t chunk = chunk_of(element.first);
    std::vector<Element>& elements = elements_[chunk];
    const auto at =
        std::lower_bound(elements.begin(), elements.end(), element,
                         [](const Element& a, const Element& b) { return a.is_before(b); });
    if (at != elements.end() && at->first == element.first && at->length == element.length)
        return false;
    elements.insert(at, element);
    ++count_by_length_[element.length];
    ++size_;
    if (elements.size() > 2 * kElementsPerChunk) split(chunk, retired);
    renew_all(element.first, element.last(), retired);
    return true;
}

template <typename Word>
std::optional<typename PrefixTable<Word>::Element> PrefixTable<Word>::remove(Word first,
                                                                             unsigned length,
                                                                             RetiredList& retired) {
    const Element* found = element(first, length);
    if (found == nullptr) return std::nullopt;
    const Element removed = *found;
    std::vector<Element>& elements = elements_[chunk_of(first)];
    elements.erase(elements.begin() + (found - elements.data()));
    --count_by_length_[length];
    --size_;
    renew_all(removed.first, removed.last(), retired);
    return removed;
}

template <typename Word>
const typename PrefixTable<Word>::Element* PrefixTable<Word>::element(
    Word first, unsigned length) const noexcept {
    const Element* next = nullptr;
    const std::vector<Element>& elements = elements_[chunk_of(first)];
    const Element wanted{first, kNoLabel, static_cast<uint8_t>(length), false};
    const auto at =
        std::lower_bound(elements.begin(), elements.end(), wanted,
                         [](const Element& a, const Element& b) { return a.is_before(b); });
    if (at != elements.end() && at->first == first && at->length == length) next = &*at;
    return next;
}

template <typename Word>
typename PrefixTable<Word>::Element* PrefixTable<Word>::element(Word first,
                                                                unsigned length) noexcept {
    return const_cast<Element*>(std::as_const(*this).element(first, length));
}

template <typename Word>
const typename PrefixTable<Word>::Element* PrefixTable<Word>::first_element() const noexcept {
    for (const std::vector<Element>& elements : elements_)
        if (!elements.empty()) return elements.data();
    return nullptr;
}

template <typename Word>
const typename PrefixTable<Word>::Element* PrefixTable<Word>::next_after(
    Word first, unsigned length) const noexcept {
    const Element wanted{first, kNoLabel, static_cast<uint8_t>(length), false};
    for (size_t chunk = chunk_of(first); chunk < elements_.size(); ++chunk) {
        const std::vector<Element>& elements = elements_[chunk];
        const auto at =
            std::upper_bound(elements.begin(), elements.end(), wanted,
                             [](const Element& a, const Element& b) { return a.is_before(b); });
        if (at != elements.end()) return &*at;
    }
    return nullptr;
}

template <typename Word>
size_t PrefixTable<Word>::memory_bytes() const noexcept {
    size_t bytes = owned_root_->starts.size() * (sizeof(Word) + sizeof(void*));
    for (size_t i = 0; i < elements_.size(); ++i) {
        bytes += sizeof(elements_[i]) + elements_[i].capacity() * sizeof(Element);
        if (segments_[i] == nullptr) continue;
        const size_t count = static_cast<size_t>(segments_[i][0]);
        bytes += (1 + count * (is_labelled_ ? 3 : 2)) * sizeof(Word);
    }
    return bytes;
}

template class PrefixTable<uint32_t>;
template class PrefixTable<Word128>;

}  // namespace rampart
