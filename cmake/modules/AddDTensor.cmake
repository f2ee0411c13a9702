# Functions that declare our libraries, tools and unit tests.
#
# Every function accepts an empty list of sources, so that a room may exist
# before its first file does: an empty library is an INTERFACE library, an empty
# tool or test is left out.
include_guard()

# The one precompiled header of the compiler. Its flags must equal the flags of
# every target that reuses it: set flags for directories, not for targets.
add_library(DTensorPCH STATIC ${PROJECT_SOURCE_DIR}/cmake/DTensorPCH.cpp)
target_precompile_headers(DTensorPCH PRIVATE
                          ${PROJECT_SOURCE_DIR}/cmake/DTensorPCH.h)
target_compile_options(DTensorPCH PRIVATE $<$<COMPILE_LANGUAGE:CXX>:-fno-exceptions>)

# Flags of compiler code: no exceptions, and the shared header unless NO_PCH.
function(dtensor_compiler_flags name no_pch)
  target_compile_options(${name} PRIVATE
                         $<$<COMPILE_LANGUAGE:CXX>:-fno-exceptions>)
  if(NOT no_pch)
    target_precompile_headers(${name} REUSE_FROM DTensorPCH)
  endif()
endfunction()

# add_dtensor_library(name [source...] [NO_PCH]
#                     [DEPENDS tablegen-target...] [LINK_LIBS library...])
#
# A static library of the compiler. LINK_LIBS are public; headers generated for
# a linked library are generated before this one is compiled. Link MLIR's static
# component libraries only: with the one big MLIR library beside them there
# would be two sets of type ids in one process.
function(add_dtensor_library name)
  cmake_parse_arguments(ARG "NO_PCH" "" "DEPENDS;LINK_LIBS" ${ARGN})
  if("MLIR" IN_LIST ARG_LINK_LIBS)
    message(FATAL_ERROR "${name}: link MLIR component libraries, not MLIR")
  endif()
  if(ARG_UNPARSED_ARGUMENTS)
    add_library(${name} STATIC ${ARG_UNPARSED_ARGUMENTS})
    target_link_libraries(${name} PUBLIC ${ARG_LINK_LIBS})
    dtensor_compiler_flags(${name} "${ARG_NO_PCH}")
  else()
    add_library(${name} INTERFACE)
    target_link_libraries(${name} INTERFACE ${ARG_LINK_LIBS})
  endif()
  if(ARG_DEPENDS)
    add_dependencies(${name} ${ARG_DEPENDS})
  endif()
  set_property(GLOBAL APPEND PROPERTY DTENSOR_LIBRARIES ${name})
endfunction()

# add_dtensor_dialect_tablegen(td-file generator-prefix target)
#
# Attributes, types and ops of one dialect `dtensor` from one .td file; every
# generated file is named PREFIX<Kind>.{h,cpp}.inc.
function(add_dtensor_dialect_tablegen td prefix target)
  set(LLVM_TARGET_DEFINITIONS ${td})
  mlir_tablegen(${prefix}Dialect.h.inc -gen-dialect-decls -dialect=dtensor)
  mlir_tablegen(${prefix}Dialect.cpp.inc -gen-dialect-defs -dialect=dtensor)
  mlir_tablegen(${prefix}Enums.h.inc -gen-enum-decls)
  mlir_tablegen(${prefix}Enums.cpp.inc -gen-enum-defs)
  mlir_tablegen(${prefix}Attrs.h.inc -gen-attrdef-decls
                -attrdefs-dialect=dtensor)
  mlir_tablegen(${prefix}Attrs.cpp.inc -gen-attrdef-defs
                -attrdefs-dialect=dtensor)
  mlir_tablegen(${prefix}Types.h.inc -gen-typedef-decls
                -typedefs-dialect=dtensor)
  mlir_tablegen(${prefix}Types.cpp.inc -gen-typedef-defs
                -typedefs-dialect=dtensor)
  mlir_tablegen(${prefix}Ops.h.inc -gen-op-decls)
  mlir_tablegen(${prefix}Ops.cpp.inc -gen-op-defs)
  add_public_tablegen_target(${target})
endfunction()

# dtensor_link_allocator(name)
#
# jemalloc instead of the C library's allocator, where it is installed: the
# compiler makes and frees millions of small ops, and with it they stay close
# together. A library that others link must not choose for them, and sanitizers
# bring an allocator of their own.
find_library(DTENSOR_JEMALLOC NAMES libjemalloc_pic.a)
function(dtensor_link_allocator name)
  if(DTENSOR_JEMALLOC AND NOT DTENSOR_SANITIZE)
    target_link_libraries(${name} PRIVATE -Wl,-u,malloc ${DTENSOR_JEMALLOC})
  endif()
endfunction()

# add_dtensor_tool(name [source...] [NO_PCH] [LINK_LIBS library...])
#
# An executable in build/bin that the test suite builds before it runs.
function(add_dtensor_tool name)
  cmake_parse_arguments(ARG "NO_PCH" "" "LINK_LIBS" ${ARGN})
  if(NOT ARG_UNPARSED_ARGUMENTS)
    return()
  endif()
  add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
  dtensor_add_sanitizer_defaults(${name})
  target_link_libraries(${name} PRIVATE ${ARG_LINK_LIBS})
  dtensor_compiler_flags(${name} "${ARG_NO_PCH}")
  set_property(GLOBAL APPEND PROPERTY DTENSOR_TEST_DEPENDS ${name})
  set_property(GLOBAL APPEND PROPERTY DTENSOR_TOOLS ${name})
endfunction()

# add_dtensor_unittest(name [source...] [LINK_LIBS library...])
#
# A GoogleTest binary in build/test/Unit; lit runs it with everything else.
function(add_dtensor_unittest name)
  cmake_parse_arguments(ARG "" "" "LINK_LIBS" ${ARGN})
  if(NOT ARG_UNPARSED_ARGUMENTS)
    return()
  endif()
  add_executable(${name} ${ARG_UNPARSED_ARGUMENTS})
  dtensor_add_sanitizer_defaults(${name})
  target_link_libraries(${name} PRIVATE ${ARG_LINK_LIBS} dtensor_gtest_main)
  set_target_properties(${name} PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/test/Unit)
  set_property(GLOBAL APPEND PROPERTY DTENSOR_TEST_DEPENDS ${name})
endfunction()

# add_dtensor_benchmark(name [source...] [LINK_LIBS library...])
#
# A Google Benchmark binary in build/test/Benchmarks; `make bench` runs it.
function(add_dtensor_benchmark name)
  cmake_parse_arguments(ARG "" "" "LINK_LIBS" ${ARGN})
  if(NOT ARG_UNPARSED_ARGUMENTS)
    return()
  endif()
  find_package(benchmark REQUIRED)
  add_executable(${name} EXCLUDE_FROM_ALL ${ARG_UNPARSED_ARGUMENTS})
  dtensor_add_sanitizer_defaults(${name})
  target_link_libraries(${name} PRIVATE ${ARG_LINK_LIBS}
                        benchmark::benchmark_main)
  dtensor_link_allocator(${name})
  set_target_properties(${name} PROPERTIES
    RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/test/Benchmarks)
  add_dependencies(dtensor-benchmarks ${name})
endfunction()
