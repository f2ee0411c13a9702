//===- Bundle.h - the bundle file format ------------------------*- C++ -*-===//
//
// A bundle is one file:
//
//   code (ELF shared object) ++ manifest (JSON) ++ footer (64 bytes)
//
//   size == codeBytes + manifestBytes + 64
//   checksum == fnv1a64(code ++ manifest)
//
// A loader of shared objects ignores what follows the ELF image, so the file
// can be given to dlopen as it is; it is checked first, because mapping a
// truncated image crashes. Header-only: used by compiler and runtime.
// Integers are little-endian.
//
//===----------------------------------------------------------------------===//

#ifndef DTENSOR_RT_BUNDLE_H
#define DTENSOR_RT_BUNDLE_H

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>

namespace dtensor::rt {

/// Version of ABI.def, of the manifest and of the exported functions. Must be
/// equal in compiler and runtime.
inline constexpr uint32_t kAbiVersion = 4;

inline constexpr char kBundleMagic[8] = {'D', 'T', 'E', 'N',
                                         'S', 'O', 'R', 'B'};

struct BundleFooter {
  char magic[8];
  uint32_t abiVersion;
  uint32_t reserved;
  uint64_t codeBytes;
  uint64_t manifestBytes;
  uint64_t checksum;
  char padding[24];
};
static_assert(sizeof(BundleFooter) == 64, "the footer is a file format");
static_assert(offsetof(BundleFooter, codeBytes) == 16, "no hidden padding");
static_assert(offsetof(BundleFooter, checksum) == 32, "no hidden padding");

inline constexpr uint64_t kFnvBasis = 0xcbf29ce484222325ull;

/// FNV-1a, 64 bits; chained over pieces by passing the previous result.
inline uint64_t fnv1a64(const void *data, size_t size,
                        uint64_t hash = kFnvBasis) {
  const auto *bytes = static_cast<const unsigned char *>(data);
  for (size_t i = 0; i < size; ++i)
    hash = (hash ^ bytes[i]) * 0x100000001b3ull;
  return hash;
}

inline BundleFooter makeBundleFooter(const void *code, size_t codeBytes,
                                     const void *manifest,
                                     size_t manifestBytes) {
  BundleFooter footer = {};
  std::memcpy(footer.magic, kBundleMagic, sizeof(kBundleMagic));
  footer.abiVersion = kAbiVersion;
  footer.codeBytes = codeBytes;
  footer.manifestBytes = manifestBytes;
  footer.checksum = fnv1a64(manifest, manifestBytes, fnv1a64(code, codeBytes));
  return footer;
}

/// The whole file as one string.
inline std::string makeBundle(const std::string &code,
                              const std::string &manifest) {
  BundleFooter footer = makeBundleFooter(code.data(), code.size(),
                                         manifest.data(), manifest.size());
  std::string file = code + manifest;
  file.append(reinterpret_cast<const char *>(&footer), sizeof(footer));
  return file;
}

/// Reads the footer of a whole file in memory and checks everything that can
/// be checked without loading the code. True on success; otherwise `error` is
/// the reason (lower case, with the numbers, without the file's name).
inline bool readBundleFooter(const void *data, size_t size,
                             BundleFooter &footer, std::string &error) {
  auto number = [](uint64_t value) { return std::to_string(value); };
  if (size < sizeof(footer)) {
    error = "is not a bundle: it has " + number(size) +
            " bytes and the footer alone takes " + number(sizeof(footer));
    return false;
  }
  const char *bytes = static_cast<const char *>(data);
  std::memcpy(&footer, bytes + size - sizeof(footer), sizeof(footer));
  if (std::memcmp(footer.magic, kBundleMagic, sizeof(kBundleMagic)) != 0) {
    error = "is not a bundle, or is truncated: its last 64 bytes do not begin "
            "with DTENSORB";
    return false;
  }
  if (footer.abiVersion != kAbiVersion) {
    error = "was compiled for ABI version " + number(footer.abiVersion) +
            ", this runtime has version " + number(kAbiVersion);
    return false;
  }
  uint64_t body = size - sizeof(footer);
  if (footer.codeBytes > body ||
      footer.manifestBytes != body - footer.codeBytes) {
    error = "is damaged: the footer tells of " + number(footer.codeBytes) +
            " bytes of code and " + number(footer.manifestBytes) +
            " of manifest, the file holds " + number(body);
    return false;
  }
  uint64_t actual = fnv1a64(data, body);
  if (actual != footer.checksum) {
    error = "is damaged: its checksum is " + number(actual) +
            ", the footer says " + number(footer.checksum);
    return false;
  }
  return true;
}

} // namespace dtensor::rt

#endif // DTENSOR_RT_BUNDLE_H
