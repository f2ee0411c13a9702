//===- Kernels.cu - all prebuilt kernels as one module --------------------===//

#include "AttentionGradKernels.cu"
#include "AttentionKernels.cu"
#include "Copy.cu"
#include "Peer.cu"
#include "PeerStream.cu"
