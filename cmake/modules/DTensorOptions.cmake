# Compile and link flags of our own code. LLVM's and MLIR's headers, and the
# code that TableGen writes, are system headers: their warnings are not ours.

include_directories(SYSTEM ${LLVM_INCLUDE_DIRS} ${MLIR_INCLUDE_DIRS})
include_directories(SYSTEM ${PROJECT_BINARY_DIR}/include)
include_directories(${PROJECT_SOURCE_DIR}/include)
separate_arguments(llvm_definitions NATIVE_COMMAND "${LLVM_DEFINITIONS}")
add_definitions(${llvm_definitions})

# One optimization level for the compiler: -O1 halves the build against -O3 and
# compile time of a program is spent in LLVM, which is prebuilt. The runtime
# sets -O3 for itself.
foreach(lang C CXX)
  string(REPLACE "-O3" "-O1" CMAKE_${lang}_FLAGS_RELEASE
         "${CMAKE_${lang}_FLAGS_RELEASE}")
  if(DTENSOR_ENABLE_ASSERTIONS)
    string(REPLACE "-DNDEBUG" "" CMAKE_${lang}_FLAGS_RELEASE
           "${CMAKE_${lang}_FLAGS_RELEASE}")
    string(REPLACE "-DNDEBUG" "" CMAKE_${lang}_FLAGS_RELWITHDEBINFO
           "${CMAKE_${lang}_FLAGS_RELWITHDEBINFO}")
  endif()
endforeach()

# -fPIC by hand: CMake would give executables -fPIE, and then a tool could not
# reuse the precompiled header of the libraries.
add_compile_options(-fPIC -fvisibility-inlines-hidden -Wall -Wextra
                    -Wno-unused-parameter)
if(DTENSOR_ENABLE_WERROR)
  add_compile_options(-Werror)
endif()
add_link_options(-fuse-ld=lld)

# A precompiled header carries the time of its making unless told otherwise;
# with it no object built from the header would ever be found in the cache.
find_program(DTENSOR_CCACHE ccache)
if(DTENSOR_USE_CCACHE AND DTENSOR_CCACHE)
  set(sloppiness
      pch_defines,time_macros,include_file_mtime,include_file_ctime)
  foreach(lang C CXX)
    set(CMAKE_${lang}_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env
        CCACHE_SLOPPINESS=${sloppiness} ${DTENSOR_CCACHE})
  endforeach()
  if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    add_compile_options("SHELL:-Xclang -fno-pch-timestamp")
  endif()
endif()
