from vectors import HANDSHAKE, vector

VECTORS = [
    vector("the handshake makes an assured connection", HANDSHAKE),
]
