"""Random sequences from seeds: the same seed always gives the same sequence.

Most steps are what hosts would send, so that sequences get somewhere; the others lie on or beside a
bound, or are nonsense. Each kind of conversation is a class with one method, step(), that returns
the next line. Several conversations of a sequence share hosts and ports, so that they meet.
"""
import random

from sequences import Sequence
from tcp_conversation import TcpConversation
from conversations import (DatagramConversation, EchoConversation, FragmentConversation,
                           GreConversation, LiteConversation, OtherConversation, SctpConversation)

PROFILE_WEIGHTS = {"observe": 6, "stateful": 4, "strict": 2, "liberal": 2, "short": 3, "resets": 1,
                   "no-checksum": 1, "raw": 1}
KINDS = {"tcp": (TcpConversation, 12), "udp": (DatagramConversation, 3),
         "echo": (EchoConversation, 2), "other": (OtherConversation, 1),
         "udplite": (LiteConversation, 1), "gre": (GreConversation, 1),
         "sctp": (SctpConversation, 3), "fragments": (FragmentConversation, 3)}
PAUSE = "wait 2.3s"


def pick(rng, weights):
    return rng.choices(list(weights), list(weights.values()))[0]


def generate(seed, kinds=KINDS):
    rng = random.Random(seed)
    profile = pick(rng, PROFILE_WEIGHTS)
    v6 = "v6" if rng.random() < 0.3 else ""
    weights = {kind: weight for kind, (_, weight) in kinds.items()}
    conversations = [kinds[pick(rng, weights)][0](rng, v6) for _ in range(rng.choice((1, 1, 1, 2)))]
    # A pause takes real time; all sequences of a batch pause together.
    length, pauses = rng.randint(6, 20), rng.choice((0, 0, 1, 2))
    steps = []
    for _ in range(length):
        steps += rng.choice(conversations).step()
    for _ in range(pauses):
        steps.insert(rng.randint(1, len(steps)), PAUSE)
    return Sequence(f"seed {seed}", profile, steps)
