//===- dtensor-lsp-server.cpp - programs in an editor ---------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Server.h"

#include "llvm/Support/CommandLine.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/LSP/Logging.h"
#include "llvm/Support/LSP/Transport.h"
#include "llvm/Support/Program.h"

namespace cl = llvm::cl;
namespace lsp = llvm::lsp;

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  cl::opt<bool> isTest(
      "lit-test",
      cl::desc("read messages that a line // ----- divides, write them "
               "indented: for sessions written by hand"));
  cl::ParseCommandLineOptions(
      argc, argv,
      "dtensor-lsp-server: speaks the Language Server Protocol on its standard "
      "input and output\n");
  lsp::Logger::setLogLevel(lsp::Logger::Level::Error);
  (void)llvm::sys::ChangeStdinToBinary();
  lsp::JSONTransport transport(stdin, llvm::outs(),
                               isTest ? lsp::JSONStreamStyle::Delimited
                                      : lsp::JSONStreamStyle::Standard,
                               isTest);
  return dtensor::serve(transport);
}
