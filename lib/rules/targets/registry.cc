#include "rules/targets/registry.h"

namespace rampart {

namespace {

// The order of the reference manual.
constexpr const TargetType* kTargetTypes[] = {
    &kTargetAccept,   &kTargetDrop, &kTargetReject,     &kTargetReturn,  &kTargetContinue,
    &kTargetLog,      &kTargetJump, &kTargetGoto,       &kTargetNotrack, &kTargetDnat,
    &kTargetRedirect, &kTargetSnat, &kTargetMasquerade, &kTargetNetmap,  &kTargetNoNat,
};

const TargetType* target_of(NatKind kind) noexcept {
    switch (kind) {
        case NatKind::Snat:
            return &kTargetSnat;
        case NatKind::Masquerade:
            return &kTargetMasquerade;
        case NatKind::Dnat:
            return &kTargetDnat;
        case NatKind::Redirect:
            return &kTargetRedirect;
        case NatKind::Netmap:
            return &kTargetNetmap;
        case NatKind::None:
            break;
    }
    return &kTargetNoNat;
}

}  // namespace

std::span<const TargetType* const> target_types() noexcept {
    return kTargetTypes;
}

const TargetType* target_of(const Decision& decision) noexcept {
    switch (decision.step) {
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
        case Step::Translate:
            return target_of(decision.nat->kind);
        case Step::Continue:
            break;
    }
    return nullptr;
}

}  // namespace rampart
