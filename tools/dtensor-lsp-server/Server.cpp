//===- Server.cpp - messages of the protocol ------------------------------===//
//
// Part of the dtensor project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Server.h"

#include "Document.h"

#include "llvm/ADT/StringMap.h"
#include "llvm/Support/LSP/Transport.h"

using namespace dtensor;
namespace lsp = llvm::lsp;
namespace json = llvm::json;

namespace {
class Server {
public:
  explicit Server(lsp::JSONTransport &transport) : handler(transport) {
    handler.method("initialize", this, &Server::initialize);
    handler.notification("initialized", this, &Server::ignore);
    handler.method("shutdown", this, &Server::shutdown);
    handler.notification("textDocument/didOpen", this, &Server::open);
    handler.notification("textDocument/didChange", this, &Server::change);
    handler.notification("textDocument/didClose", this, &Server::close);
    handler.method("textDocument/hover", this, &Server::hover);
    handler.method("textDocument/definition", this, &Server::define);
    publish = handler.outgoingNotification<lsp::PublishDiagnosticsParams>(
        "textDocument/publishDiagnostics");
  }

  lsp::MessageHandler handler;
  bool isShutDown = false;

private:
  void initialize(const lsp::InitializeParams &,
                  lsp::Callback<json::Value> reply) {
    json::Object sync{{"openClose", true},
                      {"change", int(lsp::TextDocumentSyncKind::Incremental)}};
    json::Object capabilities{{"textDocumentSync", std::move(sync)},
                              {"hoverProvider", true},
                              {"definitionProvider", true}};
    reply(json::Object{
        {"serverInfo", json::Object{{"name", "dtensor-lsp-server"}}},
        {"capabilities", std::move(capabilities)}});
  }

  void ignore(const lsp::NoParams &) {}

  void shutdown(const lsp::NoParams &, lsp::Callback<std::nullptr_t> reply) {
    isShutDown = true;
    reply(nullptr);
  }

  void read(const lsp::URIForFile &uri, std::string text, int64_t version) {
    auto document = std::make_unique<Document>(uri, std::move(text));
    lsp::PublishDiagnosticsParams params(uri, version);
    params.diagnostics = document->getDiagnostics();
    documents[uri.file()] = std::move(document);
    publish(params);
  }

  void open(const lsp::DidOpenTextDocumentParams &params) {
    read(params.textDocument.uri, params.textDocument.text,
         params.textDocument.version);
  }

  void change(const lsp::DidChangeTextDocumentParams &params) {
    auto it = documents.find(params.textDocument.uri.file());
    if (it == documents.end())
      return;
    std::string text = it->second->getText().str();
    // An editor whose text is not ours any more opens the file anew.
    if (failed(lsp::TextDocumentContentChangeEvent::applyTo(
            params.contentChanges, text)))
      return;
    read(params.textDocument.uri, std::move(text), params.textDocument.version);
  }

  void close(const lsp::DidCloseTextDocumentParams &params) {
    documents.erase(params.textDocument.uri.file());
    publish(lsp::PublishDiagnosticsParams(params.textDocument.uri, 0));
  }

  Document *find(const lsp::TextDocumentPositionParams &params) {
    auto it = documents.find(params.textDocument.uri.file());
    return it == documents.end() ? nullptr : it->second.get();
  }

  void hover(const lsp::TextDocumentPositionParams &params,
             lsp::Callback<std::optional<lsp::Hover>> reply) {
    Document *document = find(params);
    reply(document ? document->hover(params.position) : std::nullopt);
  }

  void define(const lsp::TextDocumentPositionParams &params,
              lsp::Callback<std::vector<lsp::Location>> reply) {
    Document *document = find(params);
    reply(document ? document->define(params.position)
                   : std::vector<lsp::Location>());
  }

  llvm::StringMap<std::unique_ptr<Document>> documents;
  lsp::OutgoingNotification<lsp::PublishDiagnosticsParams> publish;
};
} // namespace

int dtensor::serve(lsp::JSONTransport &transport) {
  Server server(transport);
  if (llvm::Error error = transport.run(server.handler)) {
    llvm::errs() << "dtensor-lsp-server: " << toString(std::move(error))
                 << '\n';
    return 1;
  }
  return server.isShutDown ? 0 : 1;
}
