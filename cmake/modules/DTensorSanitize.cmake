# -DDTENSOR_SANITIZE=address,undefined or thread: our own code, the runtime
# included, is compiled with these sanitizers. LLVM's and MLIR's libraries are
# not; cmake/SanitizerDefaults.c tells the sanitizers what follows from that.
#
# Included before any target exists, and does nothing where the option is empty.
include_guard()

# dtensor_add_sanitizer_defaults(executable): the options of every run are part
# of the program, so that nobody has to set them.
function(dtensor_add_sanitizer_defaults name)
  if(TARGET DTensorSanitizerDefaults)
    target_sources(${name} PRIVATE
                   $<TARGET_OBJECTS:DTensorSanitizerDefaults>)
    # A program in C may load our libraries, which need the sanitizers' part
    # for C++.
    set_target_properties(${name} PROPERTIES LINKER_LANGUAGE CXX)
  endif()
endfunction()

if(NOT DTENSOR_SANITIZE)
  return()
endif()
if(NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  message(FATAL_ERROR "DTENSOR_SANITIZE needs clang, this build has "
                      "${CMAKE_CXX_COMPILER_ID}")
endif()
if(NOT DTENSOR_SANITIZE MATCHES "^(address|undefined|address,undefined|thread)$")
  message(FATAL_ERROR "DTENSOR_SANITIZE is \"${DTENSOR_SANITIZE}\", expected "
                      "address, undefined, address,undefined or thread")
endif()

# Lines and no more: full debug information is ten times the size of the code.
# Stays at -O1, with which a report names the functions that were written.
add_compile_options(-fsanitize=${DTENSOR_SANITIZE} -fno-sanitize-recover=all
                    -fno-omit-frame-pointer -fno-optimize-sibling-calls
                    -gline-tables-only)
add_link_options(-fsanitize=${DTENSOR_SANITIZE})
add_library(DTensorSanitizerDefaults OBJECT
            ${PROJECT_SOURCE_DIR}/cmake/SanitizerDefaults.c)
