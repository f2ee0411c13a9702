//===- LoadedBundle.h - a bundle in memory ----------------------*- C++ -*-===//
//
// Holds the loaded code and the manifest; shared by everything made from it.
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_RUNTIME_CORE_LOADEDBUNDLE_H
#define DTENSOR_RUNTIME_CORE_LOADEDBUNDLE_H

#include "Manifest.h"

#include <memory>

namespace dtensor::rt {

class LoadedBundle {
public:
  /// Checks the file before any of it is mapped; raises NOT_FOUND or
  /// BAD_BUNDLE with the path and the reason.
  static std::shared_ptr<LoadedBundle> open(const std::string &path);
  LoadedBundle(const LoadedBundle &) = delete;
  ~LoadedBundle();

  const std::string &getPath() const { return path; }
  const Manifest &getManifest() const { return manifest; }
  const std::string &getManifestText() const { return manifestText; }

  /// Raises NOT_FOUND with the known names; an empty name is the only entry.
  const EntryDecl &findEntry(const std::string &name) const;

  /// Raises BAD_BUNDLE when the code does not export `name`.
  void *findSymbol(const std::string &name) const;
  /// Null when the code does not export `name`.
  void *findOptionalSymbol(const std::string &name) const;

private:
  LoadedBundle() = default;
  void loadCode(const std::string &bytes, size_t codeBytes);

  std::string path;
  std::string manifestText;
  Manifest manifest;
  int file = -1;
  void *library = nullptr;
};

} // namespace dtensor::rt

#endif // DTENSOR_RUNTIME_CORE_LOADEDBUNDLE_H
