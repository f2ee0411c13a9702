//===- Server.h - messages of the protocol ----------------------*- C++ -*-===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_TOOLS_LSP_SERVER_SERVER_H
#define DTENSOR_TOOLS_LSP_SERVER_SERVER_H

namespace llvm::lsp {
class JSONTransport;
} // namespace llvm::lsp

namespace dtensor {

/// Answers until the client leaves. The exit code of the process: 0 if the
/// client said `shutdown` before.
int serve(llvm::lsp::JSONTransport &transport);

} // namespace dtensor

#endif // DTENSOR_TOOLS_LSP_SERVER_SERVER_H
