#include "rules/targets/registry.h"

namespace rampart {

namespace {

// The order of the reference manual.
constexpr const TargetType* kTargetTypes[] = {
    &kTargetAccept, &kTargetDrop, &kTargetReject, &kTargetReturn,  &kTargetContinue,
    &kTargetLog,    &kTargetJump, &kTargetGoto,   &kTargetNotrack,
};

}  // namespace

std::span<const TargetType* const> target_types() noexcept {
    return kTargetTypes;
}

const TargetType* target_of(Step step) noexcept {
    switch (step) {
        case Step::Accept:
            return &kTargetAccept;
        case Step::Drop:
            return &kTargetDrop;
        case Step::Reject:
            return &kTargetReject;
        case Step::Return:
            return &kTargetReturn;
        case Step::Jump:
            return &kTargetJump;
        case Step::Goto:
            return &kTargetGoto;
        case Step::Notrack:
            return &kTargetNotrack;
        case Step::Continue:
            break;
    }
    return nullptr;
}

}  // namespace rampart
